"""Mixtures: the interpolation and its weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toys import recurrent_lm

from charlm.errors import CharlmError
from charlm.lm import CausalLM
from charlm.models.kneser_ney import estimate
from charlm.models.mixture import MixtureLM, fit_weights, mix, score_stream
from charlm.models.ngram import NgramLM


def ngram(order: int = 3, seed: int = 0, size: int = 600) -> NgramLM:
    ids = np.random.default_rng(seed).zipf(1.5, size).clip(1, 11) - 1
    return estimate(np.append(ids, 0), 11, 0, order, lines=False)


def test_is_the_weighted_mean_of_probabilities() -> None:
    parts: list[CausalLM[Any]] = [recurrent_lm("gru"), ngram()]
    weights = np.array([[0.3, 0.7], [0.9, 0.1], [0.5, 0.5]])
    lm = MixtureLM(parts, weights)
    state = lm.start(2)
    for ids_B in (np.array([1, 2]), np.array([3, 0])):
        state = lm.advance(state, ids_B)
    known = parts[1].matched(state.parts[1])  # type: ignore[attr-defined]
    own = [np.exp(part.predict(s)) for part, s in zip(parts, state.parts, strict=True)]
    expected = sum(weights[known, k, None] * own[k] for k in range(2))
    np.testing.assert_allclose(np.exp(lm.predict(state)), expected, atol=1e-6)


@given(seed=st.integers(0, 1000), parts=st.integers(2, 4))
def test_em_finds_the_best_weights(seed: int, parts: int) -> None:
    rng = np.random.default_rng(seed)
    nats = np.log(rng.random((parts, 300)))
    (weights,) = fit_weights(nats)
    assert weights.sum() == pytest.approx(1)

    def gained(w: object) -> float:
        return float(np.log((np.asarray(w)[:, None] * np.exp(nats)).sum(0)).mean())

    best = max(gained(w) for w in rng.dirichlet(np.ones(parts), 400))
    assert gained(weights) >= best - 1e-4


def test_weights_by_context_gain_where_contexts_differ() -> None:
    rng = np.random.default_rng(0)
    contexts = rng.integers(2, size=4000)
    nats = np.log(np.where(contexts == np.arange(2)[:, None], 0.9, 0.1) * rng.random((2, 4000)))
    weights = fit_weights(nats, contexts, 3)
    assert weights.shape == (3, 2)
    assert weights[0, 0] > 0.8
    assert weights[1, 1] > 0.8
    np.testing.assert_allclose(weights[2], fit_weights(nats)[0])  # a context never seen


def test_mix_is_better_than_its_parts() -> None:
    rng = np.random.default_rng(3)
    held_out = rng.zipf(1.5, 3000).clip(1, 11) - 1
    parts: list[CausalLM[Any]] = [recurrent_lm("lstm"), ngram(2), recurrent_lm("gru", seed=5)]
    found = mix(parts, held_out, 0)
    assert found.mixed.mean() > found.parts.mean(axis=1).max()
    assert found.lm.weights.shape == (2, 3)
    nats, _ = found.lm.read(found.lm.start(1), held_out[None])
    assert nats.mean() == pytest.approx(found.mixed.mean(), abs=1e-3)


def test_a_stream_read_in_parts_is_the_stream() -> None:
    lm = recurrent_lm("gru")
    ids = np.random.default_rng(0).integers(11, size=2000)
    whole, _ = lm.read(lm.start(1), ids[None])
    parts = score_stream(lm, ids, 0)
    assert parts.shape == (2000,)
    np.testing.assert_allclose(parts[200:], whole[0, 200:], atol=1e-3)


def test_what_cannot_be_mixed() -> None:
    parts: list[CausalLM[Any]] = [recurrent_lm("gru"), ngram()]
    with pytest.raises(CharlmError, match="vocabularies"):
        MixtureLM([parts[0], recurrent_lm("gru", 12)], np.array([[0.5, 0.5]]))
    with pytest.raises(CharlmError, match="one weight per model"):
        MixtureLM(parts, np.array([[1.0]]))
    with pytest.raises(CharlmError, match="do not fit"):
        MixtureLM(parts, np.full((7, 2), 0.5))
    with pytest.raises(CharlmError, match="no held-out"):
        mix(parts, np.zeros(0, np.int64), 0)
