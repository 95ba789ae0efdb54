"""N-gram models with backoff, over sorted arrays: no object per n-gram, nothing built on loading.

An n-gram w_1 … w_k of order k is the pair of its prefix w_1 … w_{k−1}, by its index among the
(k−1)-grams, and its last word: one integer key, prefix · (V + 1) + word. The keys of an order are
sorted, so the index of an n-gram is found by binary search, and all that follow a context are
adjacent. Indices of order 1 are the words themselves; word V is <s>, the start of a sentence, which
is never predicted.

    log P(w | c) = log P(c w)                      if the n-gram c w is in the model
                 = β(c) + log P(w | c′)            otherwise, c′ being c without its first word
    (Katz 1987; β(c) = 0 for a context that is not in the model)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeAlias, TypedDict

import numpy as np
import numpy.typing as npt

from ..errors import CharlmError, require
from ..lm import Ids, Nats
from ..measures import LN10
from ..system.checked import checked
from .causal import CausalModel
from .family import Config, Family

Keys: TypeAlias = npt.NDArray[np.int64]
Values: TypeAlias = npt.NDArray[np.float32]
MAX_NGRAM_ORDER = 16
MAX_NATS = 1e-3  # of a log-probability, rounded
ABSENT = -1  # the index of an n-gram that is not in the model
MANY_KEYS = 512  # looked up at a time: worth sorting
TOKENS_AT_ONCE = 1 << 16  # tokens looked up at a time
START_NATS = -99 * LN10  # of <s>, which is never predicted: how ARPA files write zero


@dataclass(frozen=True)
class Order:
    """All n-grams of one length, sorted by key. For order 1: all V + 1 words."""

    keys: Keys  # (K,) prefix · (V + 1) + word
    nats: Values  # (K,) log P of the last word after the others
    backoff: Values  # (K,) β of the n-gram as a context, nats

    def find(self, keys: Keys) -> Keys:
        """The indices of n-grams; ABSENT for those that are not in the model."""
        if not len(self.keys):
            return np.full(keys.shape, ABSENT, np.int64)
        if keys.size < MANY_KEYS:
            indices = np.searchsorted(self.keys, keys)
        else:  # 2 to 5 times as fast: from one to the next, the memory looked at is still cached
            order, indices = np.argsort(keys, axis=None), np.empty(keys.shape, np.int64)
            indices.ravel()[order] = np.searchsorted(self.keys, keys.ravel()[order])
        indices[indices == len(self.keys)] = 0
        return np.where(self.keys[indices] == keys, indices, ABSENT)


@dataclass(frozen=True)
class NgramState:
    """The contexts of B texts: the indices of their last 1 … N−1 words, as n-grams."""

    contexts_BN: Keys  # (B, N − 1), ABSENT if those words are not in the model

    def take(self, rows: Ids) -> Self:
        """The states of the texts `rows`, in that order; a row may be taken more than once."""
        return type(self)(self.contexts_BN[rows])

    def joined(self, other: Self) -> Self:
        """The states of these texts and, after them, of the texts of `other`."""
        return type(self)(np.concatenate([self.contexts_BN, other.contexts_BN]))


def values_at(values: Values, indices: Keys) -> Values:
    """The values at `indices`, 0 for ABSENT."""
    if not len(values):
        return np.zeros(indices.shape, np.float32)
    return np.where(indices == ABSENT, np.float32(0), values[indices])


class NgramLM(CausalModel[NgramState]):
    """An n-gram model; obeys `lm.BackoffLM`. Log-probabilities are nats."""

    def __init__(self, orders: Sequence[Order], vocab_size: int, eos: int, *, lines: bool) -> None:
        """`lines`: contexts end at <EOS>, and the next word follows <s> (as in KenLM).

        Otherwise <EOS> is a word like any other, and contexts span it.
        """
        self.orders = tuple(orders)
        self.order = len(self.orders)  # N, the length of the longest n-grams
        self.vocab_size, self.eos, self.lines = vocab_size, eos, lines
        self.base = vocab_size + 1

    # The contract -----------------------------------------------------------------------------

    def empty(self, batch: int) -> NgramState:
        """The state of `batch` texts before any token."""
        return NgramState(np.full((batch, self.order - 1), ABSENT, np.int64))

    def predict(self, state: NgramState) -> Nats:
        """(B, V) log-probabilities of the next token, nats."""
        contexts_BN = state.contexts_BN
        nats_BV = np.tile(self.orders[0].nats[: self.vocab_size], (len(contexts_BN), 1))
        backed_off_B = np.zeros(len(contexts_BN), np.float32)  # Σ β, added to all in the end
        for k, order in enumerate(self.orders[1:]):
            known = np.flatnonzero(contexts_BN[:, k] != ABSENT)
            if not len(known):
                continue
            contexts = contexts_BN[known, k]
            backed_off_B[known] += self.orders[k].backoff[contexts]
            begin, counts = self.followers(k + 1, contexts)
            rows = np.repeat(known, counts)  # one entry for each word that is known to follow
            steps = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
            entries = steps + np.repeat(begin, counts)
            words = order.keys[entries] - np.repeat(contexts * self.base, counts)
            real = words < self.vocab_size  # in some files <s> may follow
            if not real.all():
                rows, words, entries = rows[real], words[real], entries[real]
            nats_BV[rows, words] = order.nats[entries] - backed_off_B[rows]
        nats_BV += backed_off_B[:, None]
        return nats_BV

    def advance(self, state: NgramState, ids_B: Ids) -> NgramState:
        """The state after one more token in every row. `state` itself is unchanged."""
        ids = np.asarray(ids_B, np.int64)
        before_BN, after_BN = state.contexts_BN, np.full_like(state.contexts_BN, ABSENT)
        if self.order > 1:
            ends = ids == self.eos if self.lines else np.zeros(ids.shape, bool)
            after_BN[:, 0] = np.where(ends, self.vocab_size, ids)
            known_BN = (before_BN != ABSENT) & ~ends[:, None]
            keys_BN = before_BN * self.base + ids[:, None]
            for k in np.flatnonzero(known_BN[:, :-1].any(axis=0)):
                known = known_BN[:, k]
                after_BN[known, k + 1] = self.orders[k + 1].find(keys_BN[known, k])
        return NgramState(after_BN)

    def read(self, state: NgramState, ids_BT: Ids) -> tuple[Nats, NgramState]:
        """Log-probability of each of T further tokens, (B, T) nats, and the state after them."""
        nats_BT, _, after = self.read_matched(state, ids_BT)
        return nats_BT, after

    def read_matched(self, state: NgramState, ids_BT: Ids) -> tuple[Nats, Keys, NgramState]:
        """`read`, with what `matched_before` gives in the middle."""
        B, T = ids_BT.shape
        nats, matched = np.empty((B, T), np.float32), np.empty((B, T), np.int64)
        piece = max(1, TOKENS_AT_ONCE // max(1, B))
        for t in range(0, T, piece):
            part = np.asarray(ids_BT[:, t : t + piece], np.int64)
            here = slice(t, t + piece)
            nats[:, here], matched[:, here], state = self._look_up(state, part)
        return nats, matched, state

    def read_all(self, state: NgramState, ids_BT: Ids) -> tuple[Nats, NgramState]:
        """`read`, with the log-probability of every token in each place: (B, T, V) nats."""
        contexts, _ = self.lookup(state, np.asarray(ids_BT, np.int64))
        if not contexts:
            nats_V = self.orders[0].nats[: self.vocab_size]
            return np.broadcast_to(nats_V, (*ids_BT.shape, self.vocab_size)).copy(), state
        before = np.stack([context[:, :-1].ravel() for context in contexts], axis=1)
        after = NgramState(np.stack([context[:, -1] for context in contexts], axis=1))
        nats_NV = self.predict(NgramState(before))
        return nats_NV.reshape(*ids_BT.shape, self.vocab_size), after

    def logprobs(self, seqs: Sequence[Ids]) -> list[Nats]:
        """Give log P(each token | those before it in its sequence), (len(seq),) nats each."""
        return self.logprobs_matched(seqs)[0] if self.lines else super().logprobs(seqs)

    def logprobs_matched(self, seqs: Sequence[Ids]) -> tuple[list[Nats], list[Keys]]:
        """`logprobs`, and the length of the longest known context before each token."""
        if not seqs:
            return [], []
        if not self.lines:
            start = self.start(1)
            parts = [self.read_matched(start, np.asarray(seq)[None])[:2] for seq in seqs]
            return [nats[0] for nats, _ in parts], [matched[0] for _, matched in parts]
        # All in one row, an <EOS> before each: no context spans it.
        gap = np.array([self.eos])
        joined = np.concatenate([part for seq in seqs for part in (gap, np.asarray(seq, np.int64))])
        nats_1T, matched_1T, _ = self.read_matched(self.start(1), joined[None])
        ends = np.cumsum([len(seq) + 1 for seq in seqs]).tolist()
        places = [slice(end - len(seq), end) for seq, end in zip(seqs, ends, strict=True)]
        return [nats_1T[0, one] for one in places], [matched_1T[0, one] for one in places]

    # Contexts ---------------------------------------------------------------------------------

    def followers(self, k: int, contexts: Keys) -> tuple[Keys, Keys]:
        """Where the n-grams of k + 1 words begin that go on from contexts of k, and how many."""
        keys, first_keys = self.orders[k].keys, contexts * self.base
        begin = np.searchsorted(keys, first_keys)
        return begin, np.searchsorted(keys, first_keys + self.base) - begin

    def _look_up(self, state: NgramState, ids_BT: Keys) -> tuple[Nats, Keys, NgramState]:
        """`read_matched`, all at once, however much memory it takes."""
        contexts, found = self.lookup(state, ids_BT)
        nats = self.orders[0].nats[ids_BT].astype(np.float64)
        for k, order in enumerate(self.orders[1:]):
            context_BT, index_BT = contexts[k][:, :-1], found[k + 1]
            nats += values_at(self.orders[k].backoff, context_BT)
            nats = np.where(index_BT == ABSENT, nats, values_at(order.nats, index_BT))
        after = [context[:, -1] for context in contexts]
        end = np.stack(after, axis=1) if after else state.contexts_BN
        return nats.astype(np.float32), _longest(contexts, ids_BT), NgramState(end)

    def lookup(self, state: NgramState, ids_BT: Keys) -> tuple[list[Keys], list[Keys]]:
        """The indices of the n-grams of a text.

        contexts[k] (B, T + 1): of the k + 1 words before each token, and after the last one;
        found[k] (B, T): of the k + 1 words that end with each token. ABSENT if there is none.
        """
        contexts: list[Keys] = []
        found: list[Keys] = [ids_BT]
        ends = ids_BT == self.eos if self.lines else np.zeros(ids_BT.shape, bool)
        for k in range(1, self.order):
            if k == 1:
                seen = np.where(ends, self.vocab_size, ids_BT)
            else:
                seen = np.where(ends, ABSENT, found[k - 1])
            contexts.append(np.concatenate([state.contexts_BN[:, k - 1, None], seen], axis=1))
            before = contexts[-1][:, :-1]
            known, index = before != ABSENT, np.full(ids_BT.shape, ABSENT, np.int64)
            index[known] = self.orders[k].find(before[known] * self.base + ids_BT[known])
            found.append(index)
        return contexts, found

    def matched(self, state: NgramState) -> Keys:
        """Length of the longest known context at the end of B texts, (B,): 0 … N − 1."""
        known = state.contexts_BN != ABSENT
        return np.asarray(np.where(known, np.arange(1, self.order), 0).max(axis=1, initial=0))

    def matched_before(self, state: NgramState, ids_BT: Ids) -> Keys:
        """`matched` before each of T further tokens, (B, T)."""
        contexts, _ = self.lookup(state, np.asarray(ids_BT, np.int64))
        return _longest(contexts, ids_BT)

    def used_length(self, state: NgramState, ids_B: Ids) -> Keys:
        """The length of the n-gram that gives each row's next token its probability, (B,)."""
        _, found = self.lookup(state, np.asarray(ids_B, np.int64)[:, None])
        longest = np.ones(len(ids_B), np.int64)
        for k, indices in enumerate(found[1:], 2):
            longest[indices[:, 0] != ABSENT] = k
        return longest

    def renumbered(self, new_V: Ids) -> Self:
        """The same model with word k renumbered as `new_V[k]` (V + 1 of them, <s> last)."""
        orders: list[Order] = []
        indices = np.asarray(new_V, np.int64)  # new index of every n-gram of the order below
        for k, order in enumerate(self.orders):
            keys = indices
            if k:
                prefix, word = np.divmod(order.keys, self.base)
                keys = indices[prefix] * self.base + np.asarray(new_V, np.int64)[word]
            order_K = np.argsort(keys)
            orders.append(Order(keys[order_K], order.nats[order_K], order.backoff[order_K]))
            indices = np.empty(len(keys), np.int64)
            indices[order_K] = np.arange(len(keys))
        return type(self)(orders, self.vocab_size, int(new_V[self.eos]), lines=self.lines)

    # As tensors -------------------------------------------------------------------------------

    def config(self) -> dict[str, Any]:
        """The settings of a model file."""
        return {"vocab_size": self.vocab_size, "order": self.order, "lines": self.lines}

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays of a model file."""
        found: dict[str, npt.NDArray[Any]] = {}
        for k, order in enumerate(self.orders, 1):
            if k > 1:
                found[f"order.{k}.keys"] = order.keys
            found[f"order.{k}.nats"] = order.nats
            if k < self.order:
                found[f"order.{k}.backoff"] = order.backoff
        return found

    @classmethod
    def from_tensors(
        cls, config: Mapping[str, Any], tensors: Mapping[str, npt.NDArray[Any]], eos: int
    ) -> Self:
        """The model in `tensors`. Raises CharlmError if they do not fit together."""
        settings = checked(config, NgramConfig, "config")
        V, N = settings["vocab_size"], settings["order"]
        require(
            1 <= N <= MAX_NGRAM_ORDER, f"the n-gram model's order is {N}: the model file is damaged"
        )
        on_disk = any(isinstance(tensor, np.memmap) for tensor in tensors.values())
        tensors = {name: np.asarray(tensor) for name, tensor in tensors.items()}
        _check_tensors(tensors, N, values=not on_disk)
        unigrams = len(tensors["order.1.nats"])
        if unigrams != V + 1:
            raise CharlmError(f"the n-gram model has {unigrams} 1-grams, not {V + 1}: file damaged")
        orders = []
        for k in range(1, N + 1):
            nats = tensors[f"order.{k}.nats"]
            keys = np.arange(V + 1) if k == 1 else tensors[f"order.{k}.keys"]
            no_backoff = np.broadcast_to(np.float32(0), nats.shape)
            orders.append(Order(keys, nats, tensors[f"order.{k}.backoff"] if k < N else no_backoff))
        for k, order in enumerate(orders):
            same_length = len(order.keys) == len(order.nats) == len(order.backoff)
            if on_disk and same_length:
                continue  # what is mapped into memory is not read before it is needed
            highest = (V + 1) * (len(orders[k - 1].keys) if k else 1)
            increasing = bool((np.diff(order.keys) > 0).all())
            within = not len(order.keys) or (order.keys[0] >= 0 and order.keys[-1] < highest)
            if not (same_length and increasing and within):
                raise CharlmError(f"order {k + 1} of the n-gram model does not fit: file damaged")
        return cls(orders, V, eos, lines=settings["lines"])


def _longest(contexts: Sequence[Keys], ids_BT: Ids) -> Keys:
    """The length of the longest of the contexts that are known before each token, (B, T)."""
    longest = np.zeros(ids_BT.shape, np.int64)
    for k, indices in enumerate(contexts, 1):
        longest[indices[:, :-1] != ABSENT] = k
    return longest


class NgramConfig(TypedDict):
    """The settings of a model file."""

    vocab_size: int
    order: int
    lines: bool


def _check_tensors(tensors: Mapping[str, npt.NDArray[Any]], order: int, *, values: bool) -> None:
    """Raise CharlmError unless `tensors` are those of an n-gram model of this order.

    values: look at their numbers, too.
    """
    needed: dict[str, type] = {}
    for k in range(1, order + 1):
        needed |= {f"order.{k}.keys": np.int64} if k > 1 else {}
        needed[f"order.{k}.nats"] = np.float32
        needed |= {f"order.{k}.backoff": np.float32} if k < order else {}
    for name in sorted(needed.keys() ^ tensors.keys()):
        state = "is missing" if name in needed else "does not belong there"
        raise CharlmError(f"the n-gram model's tensor {name!r} {state}: the model file is damaged")
    for name, dtype in needed.items():
        tensor = tensors[name]
        if tensor.dtype != dtype or tensor.ndim != 1:
            raise CharlmError(
                f"the n-gram model's tensor {name!r} is {tensor.dtype} {tensor.shape}, "
                f"not {np.dtype(dtype)} (n,): the model file is damaged"
            )
        if not values:
            continue
        if name.endswith("nats") and not (tensor <= MAX_NATS).all():  # −inf is log 0
            raise CharlmError(f"the n-gram model's tensor {name!r} holds no log-probabilities")
        if name.endswith("backoff") and not np.isfinite(tensor).all():
            raise CharlmError(f"the n-gram model's tensor {name!r} holds NaN or infinite weights")


def _short(config: Config) -> str:
    return f"{config['order']}-gram model"


def _describe(config: Config) -> str:
    return f"{_short(config)}, {'within' if config['lines'] else 'across'} lines"


FAMILY = Family("ngram", NgramLM.from_tensors, _describe, _short)
