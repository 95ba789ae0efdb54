"""The unigram cache: recent tokens become more probable (Kuhn and De Mori 1990).

    P(w | c) = (1 − λ n / W) P_model(w | c) + λ n / W · (how often w is among the last n tokens) / n

n ≤ W tokens have been read: at the beginning of a text, the underlying model's probabilities are
all but unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, TypedDict

import numpy as np

from ..errors import require
from ..lm import Change, Ids, LanguageModel, Nats, State, causal
from ..system.checked import checked
from ..system.tensor_file import Tensors
from .causal import CausalModel
from .family import Config, Family, Inner, build_inner, describe, short
from .file_contents import PartRecord

MAX_WINDOW = 1 << 16
WINDOW = 500  # tokens: the best of 200, 500, 1,000 and 2,000 on Brown
NO_TOKEN = -1  # before the first token
MAX_COMPARISONS = 1 << 22  # made at a time
CANDIDATE_WEIGHTS = np.linspace(0.0, 0.4, 81)  # for λ


@dataclass(frozen=True)
class UnigramCacheState:
    """The underlying model's state for B texts, and their last W tokens."""

    inner: State
    tokens_BW: Ids  # the latest last, NO_TOKEN before the first

    def take(self, rows: Ids) -> Self:
        """The states of the texts `rows`, in that order; a row may be taken more than once."""
        return type(self)(self.inner.take(rows), self.tokens_BW[rows])

    def joined(self, other: Self) -> Self:
        """The states of these texts and, after them, of the texts of `other`."""
        tokens = np.concatenate([self.tokens_BW, other.tokens_BW])
        return type(self)(self.inner.joined(other.inner), tokens)


class UnigramCacheLM(CausalModel[UnigramCacheState]):
    """A model with a cache of recent tokens; obeys `lm.CausalLM`. Log-probabilities are nats."""

    def __init__(self, lm: LanguageModel, eos: int, weight: float, window: int = WINDOW) -> None:
        """weight: λ. Raises CharlmError for values out of range."""
        require(0 <= weight < 1, f"a cache's weight must be in [0, 1), not {weight}")
        require(
            1 <= window <= MAX_WINDOW,
            f"a cache's window must be from 1 to {MAX_WINDOW:,}, not {window}",
        )
        self.lm, self.eos, self.weight, self.window = causal(lm), eos, weight, window
        self.vocab_size = lm.vocab_size

    def start(self, batch: int) -> UnigramCacheState:
        """The state of `batch` texts just after <EOS>: at the beginning of a sentence."""
        empty_BW = self.empty(batch).tokens_BW
        return UnigramCacheState(
            self.lm.start(batch), _pushed(empty_BW, np.full((batch, 1), self.eos))
        )

    def empty(self, batch: int) -> UnigramCacheState:
        """The state of `batch` texts before any token."""
        return UnigramCacheState(
            self.lm.empty(batch), np.full((batch, self.window), NO_TOKEN, np.int64)
        )

    def predict(self, state: UnigramCacheState) -> Nats:
        """(B, V) log-probabilities of the next token, nats."""
        p_BV = np.exp(self.lm.predict(state.inner).astype(np.float64))
        for p_V, tokens_W in zip(p_BV, state.tokens_BW, strict=True):
            known = tokens_W[tokens_W != NO_TOKEN]
            p_V *= 1 - self.weight * len(known) / self.window
            np.add.at(p_V, known, self.weight / self.window)
        return np.asarray(np.log(p_BV))

    def advance(self, state: UnigramCacheState, ids_B: Ids) -> UnigramCacheState:
        """The state after one more token in every row. `state` itself is unchanged."""
        ids = np.asarray(ids_B, np.int64)
        return UnigramCacheState(
            self.lm.advance(state.inner, ids_B), _pushed(state.tokens_BW, ids[:, None])
        )

    def read(self, state: UnigramCacheState, ids_BT: Ids) -> tuple[Nats, UnigramCacheState]:
        """Log-probability of each of T further tokens, (B, T) nats, and the state after them."""
        nats_BT, inner = self.lm.read(state.inner, ids_BT)
        ids = np.asarray(ids_BT, np.int64)
        mixed = [
            interpolate_cache(nats, *recent_counts(tokens, seq), self.weight, self.window)
            for nats, tokens, seq in zip(nats_BT, state.tokens_BW, ids, strict=True)
        ]
        after = UnigramCacheState(inner, _pushed(state.tokens_BW, ids))
        return np.array(mixed).reshape(ids.shape), after

    def logprobs(self, seqs: Sequence[Ids]) -> list[Nats]:
        """Give log P(each token | those before it in its sequence), (len(seq),) nats each."""
        first = self.start(1).tokens_BW[0]
        return [
            interpolate_cache(
                nats, *recent_counts(first, np.asarray(seq)), self.weight, self.window
            )
            for nats, seq in zip(self.lm.logprobs(seqs), seqs, strict=True)
        ]

    def transformed(self, change: Change) -> LanguageModel:
        """The same model after `change`, which is first applied to the model under the cache."""
        inner = self.lm.transformed(change)
        return change(UnigramCacheLM(inner, self.eos, self.weight, self.window))


def _pushed(tokens_BW: Ids, ids_BT: Ids) -> Ids:
    """The last W tokens after reading T more."""
    return np.concatenate([tokens_BW, ids_BT], axis=1)[:, -tokens_BW.shape[1] :]


def recent_counts(tokens_W: Ids, ids_T: Ids) -> tuple[Ids, Ids]:
    """How often each of T tokens is among the W before it, and how many there are: (T,) each."""
    W, T = len(tokens_W), len(ids_T)
    whole = np.concatenate([tokens_W, np.asarray(ids_T, np.int64)])
    counts = np.zeros(T, np.int64)
    step = max(1, MAX_COMPARISONS // W)
    for t in range(0, T, step):
        end = min(t + step, T)
        before = np.lib.stride_tricks.sliding_window_view(whole[t : end - 1 + W], W)
        counts[t:end] = (before == whole[W + t : W + end, None]).sum(axis=1)
    known = int((tokens_W != NO_TOKEN).sum())
    return counts, np.minimum(known + np.arange(T), W)


def interpolate_cache(
    nats_T: Nats, counts_T: Ids, known_T: Ids, weight: float, window: int
) -> Nats:
    """log P interpolated with the cache, (T,) nats."""
    p_T = np.exp(nats_T.astype(np.float64)) * (1 - weight * known_T / window)
    return np.asarray(np.log(p_T + weight / window * counts_T))


def fit_cache(nats_N: Nats, ids_N: Ids, window: int = WINDOW) -> tuple[float, Nats]:
    """The λ that makes a held-out text, of log-probabilities `nats`, most probable.

    Returns λ and the log-probabilities with it, (N,) nats.
    """
    counts = recent_counts(np.full(window, NO_TOKEN, np.int64), ids_N)
    means = [
        interpolate_cache(nats_N, *counts, weight, window).mean()
        for weight in CANDIDATE_WEIGHTS.tolist()
    ]
    weight = float(CANDIDATE_WEIGHTS[int(np.argmax(means))])
    return weight, interpolate_cache(nats_N, *counts, weight, window)


# In a model file ------------------------------------------------------------------------------


def file_config(lm: UnigramCacheLM, family: str, config: Config) -> dict[str, Any]:
    """The configuration of a cache over a model of that family and configuration.

    The tensors of that model are named "0." and their own names.
    """
    part = {"family": family, "config": config}
    return {"window": lm.window, "share": lm.weight, "part": part}


class CacheConfig(TypedDict):
    """The settings of a model file."""

    window: int
    share: float
    part: PartRecord


def _inner_models(config: Config) -> list[Inner]:
    part = checked(config, CacheConfig, "config")["part"]
    return [Inner(part["family"], part["config"], "0.")]


def _build(config: Config, tensors: Tensors, eos: int) -> LanguageModel:
    (inner,) = _inner_models(config)
    lm = build_inner(inner, tensors, eos)
    return UnigramCacheLM(lm, eos, config["share"], config["window"])


def _describe(config: Config) -> str:
    (inner,) = _inner_models(config)
    name = describe(inner.family, inner.config)
    return f"{name}, with a cache of {config['window']:,} tokens"


def _short(config: Config) -> str:
    (inner,) = _inner_models(config)
    return f"{short(inner.family, inner.config)}, with a cache"


FAMILY = Family("recent", _build, _describe, _short, _inner_models)
