"""Language models in portable arithmetic: every family predicts the same bits on every machine.

A portable model gives *scores*: log-probabilities up to a constant in each row. Its states are
those of the model that it is made from.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import CharlmError
from ..lm import Ids, LanguageModel
from ..models.hashed_ngram import HashedNgramLM
from ..models.log_linear import LogLinearLM
from ..models.mixture import MixtureLM
from ..models.ngram import Keys, NgramLM
from ..models.other_words import OtherWordsLM
from ..models.recurrent import RecurrentLM
from ..models.unigram_cache import NO_TOKEN, UnigramCacheLM
from .portable_arithmetic import PORTABLE, exp, log

Scores: TypeAlias = npt.NDArray[np.float32]  # (B, V)
Shares: TypeAlias = npt.NDArray[np.float64]  # (B, V)
State: TypeAlias = Any
ONE = float(1 << 32)  # of a share, in whole numbers: 2 million of them are added up exactly


class Portable(ABC):
    """A causal model in portable arithmetic."""

    def __init__(self, lm: Any) -> None:
        self.lm, self.vocab_size = lm, lm.vocab_size

    @abstractmethod
    def scores(self, state: State) -> Scores:
        """log P of the next token of B texts, up to a constant for each: (B, V)."""

    def start(self, batch: int) -> State:
        """The state of `batch` texts at the beginning of a line."""
        return self.lm.start(batch)

    def advance(self, state: State, ids_B: Ids) -> State:
        """The state after one more token in every row."""
        return self.lm.advance(state, ids_B)

    def shares(self, state: State) -> Shares:
        """P of the next token of B texts: (B, V)."""
        return shares(self.scores(state))


def shares(scores_BV: Scores) -> Shares:
    """The probabilities that scores stand for, (B, V)."""
    raw = whole(scores_BV, ONE)
    return np.asarray(raw / raw.sum(axis=1, keepdims=True))  # a sum of whole numbers is exact


def whole(scores_BV: Scores, one: float) -> Shares:
    """The exponentials of scores in whole numbers, of which the largest of each row is `one`."""
    top = scores_BV.max(axis=1, keepdims=True)
    return np.rint(exp(scores_BV - top).astype(np.float64) * one)


class PortableNetwork(Portable):
    """A recurrent network whose weights and states are rounded (see `portable_arithmetic`)."""

    def __init__(self, lm: RecurrentLM) -> None:
        super().__init__(RecurrentLM(lm.config, lm.tensors, lm.eos, PORTABLE))

    def scores(self, state: State) -> Scores:
        top = self.lm.stack.top([layer[0] for layer in state.layers])
        return np.asarray(self.lm.head.logits(top))


class LookedUp(Portable):
    """A model that only looks up and adds, as n-gram models do: it is portable as it is."""

    def scores(self, state: State) -> Scores:
        return np.asarray(self.lm.predict(state), np.float32)


class Indexed(LookedUp):
    """An n-gram model in sorted arrays, with an index of what follows each context.

    It takes a while to make, and saves two binary searches in each prediction.
    """

    def __init__(self, lm: NgramLM) -> None:
        super().__init__(_IndexedNgramLM(lm.orders, lm.vocab_size, lm.eos, lines=lm.lines))


class _IndexedNgramLM(NgramLM):
    @cached_property
    def _begin(self) -> list[Keys]:
        """For each order, where the n-grams of each context of the order below begin."""
        found: list[Keys] = []
        for below, order in pairwise(self.orders):
            first_keys = np.arange(len(below.keys) + 1) * self.base
            found.append(np.searchsorted(order.keys, first_keys))
        return found

    def followers(self, k: int, contexts: Keys) -> tuple[Keys, Keys]:
        begin = self._begin[k - 1]
        return begin[contexts], begin[contexts + 1] - begin[contexts]


class Combined(Portable):
    """Models made of others: their states, in order."""

    def __init__(self, lm: MixtureLM | LogLinearLM) -> None:
        super().__init__(lm)
        self.parts = [portable(part) for part in lm.parts]

    def start(self, batch: int) -> State:
        return tuple(part.start(batch) for part in self.parts)

    def advance(self, state: State, ids_B: Ids) -> State:
        return tuple(part.advance(one, ids_B) for part, one in zip(self.parts, state, strict=True))


class PortableLogLinear(Combined):
    """Σ_k λ_k log P_k."""

    def scores(self, state: State) -> Scores:
        found = np.zeros((1, self.vocab_size), np.float32)
        for part, one, weight in zip(self.parts, state, self.lm.weights.tolist(), strict=True):
            if weight:
                found = found + part.scores(one) * np.float32(weight)
        return found


class PortableMixture(Combined):
    """log Σ_k λ_k(c) P_k."""

    def scores(self, state: State) -> Scores:
        return as_scores(self.shares(state))

    def shares(self, state: State) -> Shares:
        weights_BK = self.lm.weights[self._contexts(state)]
        found = np.zeros((1, self.vocab_size))
        for k, (part, one) in enumerate(zip(self.parts, state, strict=True)):
            found = found + part.shares(one) * weights_BK[:, k, None]
        return found

    def _contexts(self, state: State) -> Ids:
        """Which row of weights applies to each of B texts, (B,), or (1,) if there is only one."""
        guide = self.lm.guide
        if guide is None or len(self.lm.weights) == 1:
            return np.zeros(1, np.intp)
        return np.asarray(self.lm.parts[guide].matched(state[guide]))


class Wrapped(Portable):
    """Models over another one, which has the state unless they say otherwise."""

    def __init__(self, lm: UnigramCacheLM | OtherWordsLM) -> None:
        super().__init__(lm)
        self.inner = portable(lm.lm)


class PortableOtherWords(Wrapped):
    """Another vocabulary: each token has a share of one that the model knows."""

    def __init__(self, lm: OtherWordsLM) -> None:
        super().__init__(lm)
        share_V = np.maximum(lm.share_V, -80).astype(np.float32)  # a model file may hold log 0
        self.share_V = exp(share_V).astype(np.float64)

    def start(self, batch: int) -> State:
        return self.inner.start(batch)

    def advance(self, state: State, ids_B: Ids) -> State:
        return self.inner.advance(state, self.lm.ids_V[ids_B])

    def scores(self, state: State) -> Scores:
        return as_scores(self.shares(state))

    def shares(self, state: State) -> Shares:
        inner = self.inner.shares(state)
        found = inner[:, self.lm.ids_V] * self.share_V
        for id in self.lm.left_out.tolist():  # one after another: a sum depends on its order
            found[:, self.lm.unk] += inner[:, id]
        return found


class PortableCache(Wrapped):
    """A cache of the last W tokens over a model."""

    def start(self, batch: int) -> State:
        state = self.lm.start(batch)
        return self.inner.start(batch), state.tokens_BW

    def advance(self, state: State, ids_B: Ids) -> State:
        inner, tokens_BW = state
        ids_B1 = np.asarray(ids_B, np.int64)[:, None]
        return self.inner.advance(inner, ids_B), np.concatenate([tokens_BW[:, 1:], ids_B1], axis=1)

    def scores(self, state: State) -> Scores:
        return as_scores(self.shares(state))

    def shares(self, state: State) -> Shares:
        inner, tokens_BW = state
        found, weight, window = self.inner.shares(inner), self.lm.weight, self.lm.window
        for b, tokens_W in enumerate(tokens_BW):
            known = tokens_W[tokens_W != NO_TOKEN]
            counts_V = np.bincount(known, minlength=self.vocab_size)
            found[b] *= 1 - weight * len(known) / window
            found[b] += counts_V * (weight / window)
        return found


def as_scores(shares_BV: Shares) -> Scores:
    """The logarithms of probabilities, (B, V)."""
    return log(np.maximum(shares_BV, 1 / ONE)).astype(np.float32)


def portable(lm: LanguageModel) -> Portable:
    """A causal model in portable arithmetic.

    Raises CharlmError for a bidirectional model, and for a family that is not in FAMILIES.
    """
    if lm.pseudo:
        raise CharlmError(
            "a bidirectional model cannot compress: it does not predict the next token"
        )
    for family, made in FAMILIES:
        if isinstance(lm, family):
            found: Portable = made(lm)
            return found
    raise CharlmError(f"this kind of model ({type(lm).__name__}) has no portable arithmetic yet")


FAMILIES: Sequence[tuple[type[Any], Any]] = (
    (RecurrentLM, PortableNetwork),
    (HashedNgramLM, LookedUp),
    (NgramLM, Indexed),
    (LogLinearLM, PortableLogLinear),
    (MixtureLM, PortableMixture),
    (OtherWordsLM, PortableOtherWords),
    (UnigramCacheLM, PortableCache),
)
