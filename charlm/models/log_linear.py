"""Log-linear interpolation of language models: a weighted product, normalised again.

    P(w | c) = Π_k P_k(w | c)^{λ_k} / Z(c)        Z(c) = Σ_v Π_k P_k(v | c)^{λ_k}
    (Klakow 1998; a product of experts: Hinton 2002)

Where a linear mixture is as sure as the surer of its models at most, a product may be surer than
either, and a token is improbable as soon as one of them says so. The normaliser is exact, which
takes every model's probabilities of the whole vocabulary in each place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import CharlmError
from ..lm import Change, Ids, LanguageModel, Nats, SequentialLM
from ..system.tensor_file import Tensors
from .combined import (
    CombinedLM,
    CombinedState,
    build_parts,
    described_parts,
    inner_models,
    short_parts,
)
from .family import Config, Family
from .logspace import log_softmax
from .mixture import Fit, score_stream
from .padding import rows_that_fit
from .segments import Segments

Powers: TypeAlias = npt.NDArray[np.float64]  # (K,)
PULL = 10.0  # towards the first guess, nats: PULL/2 · (λ − guess)²
MAX_FITTED = 1 << 23  # entries of each part's array of probabilities that weights are fitted to
SMALLEST_NATS = -1000.0  # instead of log 0
MAX_NEWTON_ROUNDS = 20
MIN_NEWTON_GAIN = 1e-8  # nats per token; Newton's method stops when a round gains less


class LogLinearLM(CombinedLM):
    """A log-linear interpolation of models; obeys `lm.CausalLM`. Log-probabilities are nats."""

    def __init__(self, parts: Sequence[LanguageModel], weights: Sequence[float] | Powers) -> None:
        """weights (K,): the λ_k. Raises CharlmError if parts and weights do not match."""
        super().__init__(parts)
        self.weights = np.asarray(weights, np.float64)
        if self.weights.shape != (len(parts),) or not np.isfinite(self.weights).all():
            raise CharlmError("a log-linear mixture needs one weight per model")

    def predict(self, state: CombinedState) -> Nats:
        """(B, V) log-probabilities of the next token, nats."""
        states = zip(self.parts, state.parts, strict=True)
        return combine([part.predict(s) for part, s in states], self.weights)

    def read_by(
        self, parts: Sequence[SequentialLM[Any]], states: Sequence[Any], ids_BT: Ids
    ) -> tuple[Nats, tuple[Any, ...]]:
        """`read` with other models in place of the parts, such as ones that learn."""
        B, T = ids_BT.shape
        nats_BT, after = np.empty((B, T), np.float32), tuple(states)
        chunk = max(1, rows_that_fit(self.vocab_size) // max(B, 1))
        for t in range(0, T, chunk):
            ids = np.asarray(ids_BT[:, t : t + chunk], np.int64)
            nats_BTV, after = self.read_all_by(parts, after, ids)
            nats_BT[:, t : t + chunk] = np.take_along_axis(nats_BTV, ids[..., None], 2)[..., 0]
        return nats_BT, after

    def read_all_by(
        self, parts: Sequence[SequentialLM[Any]], states: Sequence[Any], ids_BT: Ids
    ) -> tuple[Nats, tuple[Any, ...]]:
        """`read_all` with other models in place of the parts."""
        found = [part.read_all(s, ids_BT) for part, s in zip(parts, states, strict=True)]
        nats_BTV = combine([nats for nats, _ in found], self.weights)
        return nats_BTV, tuple(after for _, after in found)

    def transformed(self, change: Change) -> LanguageModel:
        """The same model after `change`, which is first applied to each part."""
        return change(LogLinearLM([part.transformed(change) for part in self.parts], self.weights))


def combine(nats: Sequence[Nats], weights: Powers) -> Nats:
    """log (Π_k P_k^{λ_k} / Z) from the parts' log-probabilities, (…, V) each, nats."""
    total = np.zeros(nats[0].shape, np.float32)
    for nats_V, weight in zip(nats, weights, strict=True):
        if weight:  # 0 · log 0 would be no number
            total += np.float32(weight) * nats_V
    return log_softmax(total)


def fit_log_linear(nats_KNV: Nats, ids_N: Ids) -> Powers:
    """The weights (K,) that make N held-out tokens the most probable, never below zero.

    nats_KNV: log P of every token in N places by each part. The log-likelihood is concave in the
    weights, so Newton's method finds its maximum; a slight pull towards equal weights that sum to 1
    keeps a few tokens from saying more than they know. While there is a weight below zero, the
    lowest is set to zero and the others are fitted again.
    """
    K, N = len(nats_KNV), len(ids_N)
    nats_KNV = np.maximum(nats_KNV, SMALLEST_NATS)
    guess = np.full(K, 1 / K)
    weights, used = guess.copy(), np.ones(K, bool)
    while True:
        weights[used] = _newton(nats_KNV[used], ids_N, guess[used])
        worst = int(np.argmin(weights))
        if weights[worst] >= 0 or used.sum() == 1 or not N:
            return np.asarray(np.maximum(weights, 0))
        used[worst], weights[worst] = False, 0


def _newton(nats_KNV: Nats, ids_N: Ids, guess_K: Powers) -> Powers:
    """Newton's method from a first guess, with a step halved until it gains."""
    weights = guess_K.copy()
    value, gradient, hessian = _likelihood(nats_KNV, ids_N, weights, guess_K)
    for _ in range(MAX_NEWTON_ROUNDS):
        step = np.linalg.solve(hessian, gradient)
        for _ in range(MAX_NEWTON_ROUNDS):
            tried = weights - step
            found = _likelihood(nats_KNV, ids_N, tried, guess_K)
            if found[0] >= value:
                break
            step /= 2
        else:
            return weights
        gained, (value, gradient, hessian) = found[0] - value, found
        weights = tried
        if gained < MIN_NEWTON_GAIN * max(1, len(ids_N)):
            return weights
    return weights


def _likelihood(
    nats_KNV: Nats, ids_N: Ids, weights: Powers, guess_K: Powers
) -> tuple[float, Powers, Powers]:
    """Penalised log-likelihood of the tokens, its gradient (K,) and its Hessian (K, K)."""
    K, N, V = nats_KNV.shape
    away = weights - guess_K
    value, gradient = -PULL / 2 * float(away @ away), -PULL * away
    hessian = -PULL * np.eye(K)
    for at in range(0, N, rows_that_fit(V)):
        rows = slice(at, at + rows_that_fit(V))
        nats, ids = nats_KNV[:, rows], ids_N[rows]
        mixed = combine(list(nats), weights)
        place = np.arange(len(ids))
        value += float(mixed[place, ids].sum(dtype=np.float64))
        p_NV = np.exp(mixed)
        weighted = nats * p_NV
        mean_KN = weighted.sum(axis=2, dtype=np.float64)
        gradient = gradient + (nats[:, place, ids] - mean_KN).sum(axis=1)
        for j in range(K):
            for k in range(j + 1):
                second = np.einsum("nv,nv->", weighted[j], nats[k], dtype=np.float64)
                hessian[j, k] -= second - mean_KN[j] @ mean_KN[k]
                hessian[k, j] = hessian[j, k]
    return value, gradient, hessian


def stride(tokens: int, vocab_size: int) -> int:
    """k, if weights are fitted to every k-th of so many tokens."""
    return max(1, -(-tokens * vocab_size // MAX_FITTED))


def mix_log_linear(parts: Sequence[LanguageModel], held_out: Ids, eos: int) -> Fit[LogLinearLM]:
    """The best log-linear mixture of `parts` for a text, `held_out` (N,).

    Of a long text, or with a large vocabulary, the weights are fitted to every k-th token only.
    Raises CharlmError for an empty text or different vocabularies.
    """
    if not len(held_out):
        raise CharlmError("there is no held-out text to fit the weights on")
    lm = LogLinearLM(parts, np.full(len(parts), 1 / len(parts)))
    N, text = len(held_out), Segments(held_out, eos)
    every = stride(N, lm.vocab_size)
    parts_KN = np.empty((len(parts), N))
    fitted: list[Nats] = []
    places: list[Ids] = []
    states = [part.start(text.rows) for part in lm.parts]
    chunk = max(1, rows_that_fit(lm.vocab_size) // text.rows)
    for begin in range(-text.warm_up, text.length, chunk):
        end = min(begin + chunk, text.length)
        ids_BT, scored = text.tokens(begin, end).astype(np.int64), text.scored(begin, end)
        found = [part.read_all(s, ids_BT) for part, s in zip(lm.parts, states, strict=True)]
        states = [after for _, after in found]
        place_n = text.positions(begin, end)[scored]
        nats_KnV = np.stack([nats[scored] for nats, _ in found])
        parts_KN[:, place_n] = nats_KnV[:, np.arange(len(place_n)), held_out[place_n]]
        kept = place_n % every == 0
        fitted.append(nats_KnV[:, kept])
        places.append(place_n[kept])
    nats_KnV, place_n = np.concatenate(fitted, axis=1), np.concatenate(places)
    ids_n = np.asarray(held_out[place_n], np.int64)
    lm = LogLinearLM(parts, fit_log_linear(nats_KnV, ids_n))
    if every > 1:
        return Fit(lm, parts_KN, score_stream(lm, held_out, eos))
    mixed = np.empty(N)
    mixed[place_n] = combine(list(nats_KnV), lm.weights)[np.arange(N), ids_n]
    return Fit(lm, parts_KN, mixed)


# In a model file ------------------------------------------------------------------------------


def _build(config: Config, tensors: Tensors, eos: int) -> LanguageModel:
    return LogLinearLM(build_parts(config, tensors, eos), config["weights"])


def _describe(config: Config) -> str:
    return f"log-linear mixture of {described_parts(config)}"


def _short(config: Config) -> str:
    return f"log-linear mixture of {short_parts(config)}"


FAMILY = Family("log-linear", _build, _describe, _short, inner_models)
