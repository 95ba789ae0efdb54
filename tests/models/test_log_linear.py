"""Log-linear mixtures: the weights, the fit, the model file. (The laws: test_laws.py.)"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import recurrent_lm

from charlm.config import TokenizerConfig
from charlm.errors import CharlmError
from charlm.lm import CausalLM, causal
from charlm.models import log_linear, model_file, model_parts
from charlm.models.kneser_ney import estimate
from charlm.models.log_linear import LogLinearLM, combine, fit_log_linear, mix_log_linear
from charlm.models.mixture import score_stream
from charlm.models.ngram import NgramLM
from charlm.text import tokenizer

V = 11


def ngram(order: int, seed: int = 0) -> NgramLM:
    ids = np.random.default_rng(seed).zipf(1.4, 500).clip(1, V) - 1
    return estimate(np.append(ids, 0), V, 0, order, lines=False)


def random_nats(seed: int, K: int, N: int) -> np.ndarray:
    """(K, N, V) log-probabilities."""
    logits = 2 * np.random.default_rng(seed).normal(size=(K, N, V))
    return np.asarray(logits - np.logaddexp.reduce(logits, axis=2)[..., None])


def drawn(nats_NV: np.ndarray, seed: int) -> np.ndarray:
    """(N,) a token of each distribution."""
    noise = np.random.default_rng(seed).gumbel(size=nats_NV.shape)
    return np.asarray((nats_NV + noise).argmax(axis=1))


def test_one_model_with_weight_one_is_itself() -> None:
    nats_KNV = random_nats(0, 2, 30)
    np.testing.assert_allclose(
        combine(list(nats_KNV), np.array([1.0, 0.0])), nats_KNV[0], atol=1e-5
    )
    with np.errstate(divide="ignore"):
        impossible = np.log(np.zeros((30, V)))
    np.testing.assert_allclose(
        combine([nats_KNV[0], impossible], np.array([1.0, 0.0])), nats_KNV[0], atol=1e-5
    )


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), first=st.floats(0.1, 1.2), second=st.floats(0.1, 1.2))
def test_the_weights_that_a_text_was_drawn_with_are_found(
    seed: int, first: float, second: float
) -> None:
    nats_KNV = random_nats(seed, 2, 4000)
    ids = drawn(combine(list(nats_KNV), np.array([first, second])), seed)
    np.testing.assert_allclose(fit_log_linear(nats_KNV, ids), [first, second], atol=0.15)


def test_no_weight_nearby_is_better_and_none_is_negative() -> None:
    nats_KNV = random_nats(1, 3, 500)
    nats_KNV[2] = random_nats(9, 1, 500)[0]  # of no use
    ids = drawn(combine(list(nats_KNV[:2]), np.array([0.8, 0.4])), 5)

    def value(weights: np.ndarray) -> float:
        away = weights - 1 / 3
        likelihood = combine(list(nats_KNV), weights)[np.arange(500), ids].sum()
        return float(likelihood) - log_linear.PULL / 2 * float(away @ away)

    found = fit_log_linear(nats_KNV, ids)
    assert (found >= 0).all()
    for k in range(3):
        for step in (-0.02, 0.02):
            other = found.copy()
            other[k] = max(0.0, other[k] + step)
            assert value(other) <= value(found) + 1e-3


def test_a_model_that_misleads_gets_no_weight() -> None:
    nats_KNV = random_nats(2, 2, 2000)
    nats_KNV[1] = -nats_KNV[0]  # what is likely is said to be unlikely, and yet it adds nothing
    nats_KNV[1] -= np.logaddexp.reduce(nats_KNV[1], axis=1)[:, None]
    found = fit_log_linear(nats_KNV, drawn(nats_KNV[0], 3))
    assert found[1] == 0
    assert found[0] == pytest.approx(1, abs=0.1)


def test_models_that_all_mislead_leave_every_token_equally_likely() -> None:
    nats_KNV = random_nats(0, 2, 2000)
    found = fit_log_linear(nats_KNV, nats_KNV.sum(axis=0).argmin(axis=1))
    np.testing.assert_array_equal(found, 0)
    np.testing.assert_allclose(combine(list(nats_KNV[:, :1]), found), -np.log(V))


def test_a_weight_is_dropped_only_while_it_is_the_lowest() -> None:
    """Of three, two of which are below zero at first, one is wanted once the other is gone."""
    better = 0
    for seed in range(20):
        nats_KNV = random_nats(seed, 3, 60)
        ids = np.random.default_rng(seed).integers(V, size=60)
        found = fit_log_linear(nats_KNV, ids)
        assert (found >= 0).all()
        for k in range(3):
            nudged = found.copy()
            nudged[k] += 0.01
            before, after = (
                float(combine(list(nats_KNV), w)[np.arange(60), ids].sum())
                - log_linear.PULL / 2 * float(((w - 1 / 3) ** 2).sum())
                for w in (found, nudged)
            )
            better += after > before + 1e-6
    assert better == 0


def test_few_tokens_leave_the_weights_alone() -> None:
    nats_KNV = random_nats(3, 2, 1)
    np.testing.assert_allclose(fit_log_linear(nats_KNV, np.array([2])), 0.5, atol=0.3)


@pytest.mark.parametrize("fitted", [1 << 23, 40 * V])
def test_a_fit_scores_the_text_it_was_fitted_to(
    fitted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_linear, "MAX_FITTED", fitted)
    held_out = np.random.default_rng(4).integers(V, size=700).astype(np.uint8)
    parts: list[CausalLM[Any]] = [recurrent_lm("lstm"), ngram(3)]
    found = mix_log_linear(parts, held_out, 0)
    for k, part in enumerate(parts):
        np.testing.assert_allclose(found.parts[k], score_stream(part, held_out, 0), atol=1e-4)
    np.testing.assert_allclose(found.mixed, score_stream(found.lm, held_out, 0), atol=1e-4)
    assert found.mixed.mean() >= found.parts.mean(axis=1).max() - 0.01


def test_a_model_file_keeps_it(tmp_path: Path) -> None:
    tokens = tokenizer.build(TokenizerConfig("char"), ["abcdefghi\n" * 3])
    models = [ngram(2), ngram(3, seed=1)]
    lm = LogLinearLM(models, [0.5, 0.75])
    parts = [
        model_file.ModelFile("ngram", part.config(), tokens, part.tensors(), {}) for part in models
    ]
    model_file.write(tmp_path / "m.safetensors", model_parts.combination(lm, parts, {}))
    again = model_file.read(tmp_path / "m.safetensors")
    assert again.family == "log-linear"
    assert model_parts.part(again, 1).config["order"] == 3
    state = lm.start(2)
    np.testing.assert_array_equal(causal(model_file.build(again)).predict(state), lm.predict(state))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(CharlmError, match="one weight per model"):
        LogLinearLM([ngram(2), ngram(3)], [1.0])
    with pytest.raises(CharlmError, match="one weight per model"):
        LogLinearLM([ngram(2), ngram(3)], [1.0, float("nan")])
    other = estimate(np.array([1, 0]), 5, 0, 2, lines=False)
    with pytest.raises(CharlmError, match="different vocabularies"):
        LogLinearLM([ngram(2), other], [1.0, 1.0])
    with pytest.raises(CharlmError, match="no held-out text"):
        mix_log_linear([ngram(2)], np.zeros(0, np.uint8), 0)
