"""Sampling the words of a large softmax."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from charlm.config import NetworkConfig, TrainConfig
from charlm.network.loss import cross_entropy
from charlm.network.network import new_network
from charlm.network.softmax_sample import (
    MULTIPLE,
    NEVER,
    Sample,
    SoftmaxSample,
    filled_up,
    inclusion,
)

V, D = 40, 6
IDS = np.random.default_rng(0).zipf(1.3, 3000).clip(1, V) - 1


@given(st.lists(st.floats(1, 1000), min_size=1, max_size=50), st.integers(1, 60))
def test_probabilities_add_up_to_the_size(weights: list[float], size: int) -> None:
    found = inclusion(np.array(weights), size)
    assert ((found > 0) & (found <= 1)).all()
    assert found.sum() == pytest.approx(min(size, len(weights)))
    assert (np.diff(found[np.argsort(weights)]) >= -1e-12).all()  # the frequent ones first


def test_the_estimated_normaliser_is_right_on_average() -> None:
    torch.manual_seed(0)
    logits_V, y = torch.randn(V), torch.tensor([3])
    sampler, found = SoftmaxSample(IDS, V, 12), []
    for _ in range(4000):
        ids, correction = sampler.draw(y)
        z = logits_V[ids] + torch.where(ids == y, 0.0, correction)
        found.append(float(z.exp().sum()))
    error = np.std(found) / len(found) ** 0.5
    assert np.mean(found) == pytest.approx(float(logits_V.exp().sum()), abs=4 * error)


def test_a_sample_holds_the_targets_and_about_so_many_words() -> None:
    torch.manual_seed(0)
    sampler, y = SoftmaxSample(IDS, V, 12), torch.tensor([V - 1, 5, 5])
    sizes = []
    for _ in range(200):
        ids, correction = sampler.draw(y)
        assert set(y.tolist()) <= set(ids.tolist())
        assert (ids.diff() > 0).all()
        sizes.append(int((correction > -1e29).sum()))
    assert np.mean(sizes) == pytest.approx(12, abs=1)


@pytest.mark.parametrize("at_once", [50, 1 << 22])
def test_loss_and_gradients_are_those_of_its_formula(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("charlm.network.loss.MAX_LOGITS", at_once)
    torch.manual_seed(1)
    x, weight, bias = torch.randn(9, D), torch.randn(V, D), torch.randn(V)
    y = torch.randint(V, (9,))
    sample = SoftmaxSample(IDS, V, 12).draw(y)
    results = []
    for ours in (True, False):
        given_x, given_w, given_b = (t.clone().requires_grad_() for t in (x, weight, bias))
        if ours:
            loss = cross_entropy(given_x, given_w, given_b, y, sample)
        else:
            logits = functional.linear(given_x, given_w, given_b)[:, sample.ids_C]
            own = sample.ids_C == y[:, None]
            logits = logits + torch.where(own, 0.0, sample.correction_C)
            loss = -logits.log_softmax(1)[own].mean()
        (2 * loss).backward()  # type: ignore[no-untyped-call]
        results.append([loss, given_x.grad, given_w.grad, given_b.grad])
    for mine, reference in zip(*results, strict=True):
        torch.testing.assert_close(mine, reference, rtol=1e-5, atol=1e-6)


def test_samples_have_few_sizes() -> None:
    torch.manual_seed(0)
    many = 3 * MULTIPLE + 40
    sampler = SoftmaxSample(np.arange(many), many, MULTIPLE)
    for _ in range(20):
        ids, correction = sampler.draw(torch.tensor([5, many - 1]))
        assert len(ids) in (MULTIPLE, 2 * MULTIPLE)
        assert int((correction > NEVER).sum()) < len(ids)
    used = torch.zeros(many, dtype=torch.bool)
    used[10] = True
    assert filled_up(used).nonzero().squeeze(1).tolist() == list(range(MULTIPLE))
    assert filled_up(torch.ones(MULTIPLE, dtype=torch.bool)).all()
    assert filled_up(torch.zeros(7, dtype=torch.bool)).sum() == 0
    assert filled_up(torch.arange(9) == 3).all()  # there are no more


def test_gradients_by_rows_are_those_of_the_matrix() -> None:
    torch.manual_seed(3)
    x, weight, bias, y = torch.randn(9, D), torch.randn(V, D), torch.randn(V), torch.arange(9)
    sample, found = SoftmaxSample(IDS, V, 12).draw(y), []
    for rows_only in (False, True):
        given_w = weight.clone().requires_grad_()
        loss = cross_entropy(x, given_w, bias.requires_grad_(), y, sample, rows_only=rows_only)
        loss.backward()  # type: ignore[no-untyped-call]
        assert given_w.grad is not None
        assert given_w.grad.is_sparse == rows_only
        found.append(given_w.grad.to_dense())
    assert torch.equal(*found)


def test_with_all_words_it_is_the_softmax() -> None:
    torch.manual_seed(2)
    x, weight, bias, y = torch.randn(9, D), torch.randn(V, D), torch.randn(V), torch.arange(9)
    all_words = Sample(torch.arange(V), torch.zeros(V))
    sampled = cross_entropy(x, weight, bias, y, all_words)
    torch.testing.assert_close(sampled, cross_entropy(x, weight, bias, y))


def test_only_training_samples() -> None:
    shape = NetworkConfig(vocab_size=V, embed=D, hidden=8)
    network = new_network(shape, TrainConfig(softmax_sample=5), IDS)
    x_TB, state = torch.from_numpy(IDS[:20].reshape(10, 2)), network.start(2)
    y_TB = torch.from_numpy(IDS[1:21].reshape(10, 2))
    one, other = (float(network(x_TB, y_TB, state)[0].detach()) for _ in range(2))
    assert one != other
    network.eval()
    exact = -float(network.nats(x_TB, y_TB, state)[0].mean())
    assert float(network(x_TB, y_TB, state)[0].detach()) == pytest.approx(exact, rel=1e-5)
    for config in (TrainConfig(), TrainConfig(softmax_sample=V)):
        assert new_network(shape, config, IDS).softmax_sample is None
