"""Mixtures whose network learns as it reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from toys import recurrent_lm

from charlm.errors import CharlmError
from charlm.lm import CausalLM
from charlm.models.adapted_mixture import Adapt, adapt_networks
from charlm.models.kneser_ney import estimate
from charlm.models.log_linear import LogLinearLM, combine
from charlm.models.mixture import MixtureLM
from charlm.models.ngram import NgramLM
from charlm.models.unigram_cache import UnigramCacheLM
from charlm.network.dynamic_evaluation import DynamicLM
from charlm.tasks.neural_cache import NeuralCacheLM

IDS = np.random.default_rng(3).integers(1, 11, 60)


def ngram() -> NgramLM:
    ids = np.random.default_rng(0).zipf(1.5, 600).clip(1, 11) - 1
    return estimate(np.append(ids, 0), 11, 0, 3, lines=False)


def test_the_network_learns_and_the_weights_stay() -> None:
    parts: list[CausalLM[Any]] = [recurrent_lm("gru"), ngram()]
    mixture = MixtureLM(parts, np.array([[0.3, 0.7], [0.9, 0.1], [0.5, 0.5]]))
    lm = adapt_networks(mixture, NeuralCacheLM)
    nats_BT, _ = lm.read(lm.start(1), IDS[None])
    cached = NeuralCacheLM(parts[0])
    alone = cached.read(cached.start(1), IDS[None])[0][0]
    counted = parts[1].read(parts[1].start(1), IDS[None])[0][0]
    known = parts[1].matched_before(parts[1].start(1), IDS[None])[0]  # type: ignore[attr-defined]
    weights = mixture.weights[known]
    expected = np.log(weights[:, 0] * np.exp(alone) + weights[:, 1] * np.exp(counted))
    np.testing.assert_allclose(nats_BT[0], expected, atol=1e-5)
    assert np.abs(nats_BT[0] - mixture.read(mixture.start(1), IDS[None])[0][0]).max() > 0.01
    again = adapt_networks(mixture, NeuralCacheLM)
    np.testing.assert_allclose(again.logprobs([IDS])[0], nats_BT[0], atol=1e-6)


@pytest.mark.parametrize("adapt", [NeuralCacheLM, DynamicLM])
def test_in_a_log_linear_mixture_as_well(adapt: Adapt) -> None:
    parts: list[CausalLM[Any]] = [recurrent_lm("gru"), ngram()]
    lm = adapt_networks(LogLinearLM(parts, [0.8, 0.4]), adapt)
    nats_BT, _ = lm.read(lm.start(1), IDS[None])
    learning = adapt(recurrent_lm("gru"))
    alone, _ = learning.read_all(learning.start(1), IDS[None])
    counted, _ = parts[1].read_all(parts[1].start(1), IDS[None])
    expected = combine([alone, counted], np.array([0.8, 0.4]))[0, np.arange(60), IDS]
    np.testing.assert_allclose(nats_BT[0], expected, atol=1e-5)


@pytest.mark.parametrize("adapt", [NeuralCacheLM, DynamicLM])
def test_all_tokens_of_a_learning_model(adapt: Adapt) -> None:
    one, other = (adapt(recurrent_lm("lstm")) for _ in range(2))
    nats_BT, _ = one.read(one.start(1), IDS[None])
    nats_BTV, _ = other.read_all(other.start(1), IDS[None])
    np.testing.assert_allclose(np.exp(nats_BTV).sum(axis=2), 1, atol=1e-5)
    np.testing.assert_allclose(nats_BTV[0, np.arange(60), IDS], nats_BT[0], atol=1e-5)


def test_a_network_alone_is_adapted_itself() -> None:
    assert isinstance(adapt_networks(recurrent_lm("gru"), NeuralCacheLM), NeuralCacheLM)


def test_networks_are_found_however_deep() -> None:
    inner = MixtureLM([recurrent_lm("gru"), ngram()], np.array([[0.5, 0.5]]))
    outer = MixtureLM([inner, ngram()], np.array([[0.7, 0.3]]))
    nats = adapt_networks(outer, NeuralCacheLM).logprobs([IDS])[0]
    assert np.abs(nats - outer.logprobs([IDS])[0]).max() > 0.01


def test_a_cache_over_it_is_refused() -> None:
    with pytest.raises(CharlmError, match="cache"):
        adapt_networks(UnigramCacheLM(recurrent_lm("gru"), 0, 0.1), NeuralCacheLM)


def test_without_a_network_nothing_can_learn() -> None:
    for lm in (ngram(), MixtureLM([ngram(), ngram()], np.array([[0.5, 0.5]]))):
        with pytest.raises(CharlmError, match="recurrent networks"):
            adapt_networks(lm, NeuralCacheLM)
