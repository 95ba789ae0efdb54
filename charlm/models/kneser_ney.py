"""Interpolated modified Kneser-Ney smoothing (Chen and Goodman 1999), over sorted arrays.

With a(g) the count of g in the longest order, and in a shorter one the number of different words
seen before g (its raw count if it begins a sentence, where nothing can precede it):

    P(w | c) = (a(c w) − D(a(c w))) / Σ_w' a(c w') + γ(c) · P(w | c′)

D takes one of three values, for a = 1, 2 and 3 or more, by order, from the counts of counts
n_1 … n_4 (how many n-grams have a = 1 … 4):

    Y = n_1 / (n_1 + 2 n_2)      D_i = i − (i + 1) · Y · n_{i+1} / n_i

γ(c) is the mass left over by discounts (and pruned n-grams), c′ is c without its first word, and
the shortest order is interpolated with 1/V.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..lm import Ids
from .interpolation import counts_of_counts, discounts_by_order, interpolate, log, thresholds
from .ngram import ABSENT, START_NATS, Keys, NgramLM, Order


@dataclass(frozen=True)
class Counts:
    """The n-grams of one length in a text."""

    keys: Keys  # (K,) sorted
    raw: Keys  # (K,) counts
    last: Keys  # (K,) a position in the text where each n-gram ends
    indices: Keys  # (positions,) the n-gram that ends at each position, or ABSENT


def estimate(
    ids: Ids,
    vocab_size: int,
    eos: int,
    order: int,
    *,
    lines: bool,
    min_counts: Sequence[int] = (),
    warn: Callable[[str], None] = lambda text: None,
) -> NgramLM:
    """Estimate a model of order N from a text, `ids` (T,), in which <EOS> closes every line.

    lines: contexts end at line ends; otherwise the text is one sequence (see `NgramLM`).
    min_counts: minimum count to keep an n-gram, by order; the last applies to all longer ones.
    warn: called with a message if discounts fall back to defaults. Raises CharlmError for
    settings out of range.
    """
    minimum = thresholds(min_counts, order)
    V = vocab_size
    text = _with_starts(np.asarray(ids, np.int64), V, eos, lines=lines)
    found = _count(text, V, eos, order, lines=lines)
    adjusted = [_adjusted(*pair) for pair in zip(found, [*found[1:], None], strict=True)]
    adjusted[0][V] = 0  # <s> is not a word
    D = discounts_by_order([counts_of_counts(a) for a in adjusted], warn)
    orders: list[Order] = []
    lower = np.full(V + 1, 1.0 / V)  # P of each n-gram's suffix
    for k, counts in enumerate(found):
        kept = counts.raw >= minimum[k]
        probability, gamma = interpolate(counts.keys // (V + 1), adjusted[k], kept, D[k], lower)
        if k:
            before = orders[-1]
            backoff = np.zeros(len(before.keys), np.float32)  # of those that nothing follows
            backoff[: len(gamma)] = log(gamma)
            orders[-1] = Order(before.keys, before.nats, backoff)
        nats = log(probability)
        if k == 0:
            nats[V] = START_NATS
        orders.append(Order(counts.keys, nats, np.zeros(len(nats), np.float32)))
        if k + 1 < order:
            lower = probability[counts.indices[found[k + 1].last]]
    if max(minimum) > 1:
        orders = _prune(orders, [counts.raw for counts in found], minimum, V)
    return NgramLM(orders, V, eos, lines=lines)


def _with_starts(ids: Ids, V: int, eos: int, *, lines: bool) -> Keys:
    """The text with <s> (word V) before every line, or with a single <EOS> before it."""
    if not lines:
        return np.concatenate([[eos], ids])
    starts = np.concatenate([[0], np.flatnonzero(ids == eos) + 1])
    return np.insert(ids, starts[starts < len(ids)], V)


def _count(text: Keys, V: int, eos: int, order: int, *, lines: bool) -> list[Counts]:
    """Count the n-grams of lengths 1 … N. Position 0 is only context, and ends no longer n-gram."""
    unigrams = np.bincount(text, minlength=V + 1)
    if not lines:
        unigrams[eos] -= 1  # the one added before the text
    last = np.zeros(V + 1, np.int64)
    last[text] = np.arange(len(text))
    found = [Counts(np.arange(V + 1), unigrams, last, text)]
    start = text == V  # nowhere, unless contexts end at line ends
    for _ in range(2, order + 1):
        before = np.concatenate([[ABSENT], found[-1].indices[:-1]])
        ends = np.flatnonzero((before != ABSENT) & ~start)
        keys, first, indices, raw = np.unique(
            before[ends] * (V + 1) + text[ends],
            return_index=True,
            return_inverse=True,
            return_counts=True,
        )
        at = np.full(len(text), ABSENT, np.int64)
        at[ends] = indices
        found.append(Counts(keys, raw, ends[first], at))
    return found


def _adjusted(counts: Counts, longer: Counts | None) -> Keys:
    """a(g): how many different n-grams, one word longer, end with g."""
    if longer is None:
        return counts.raw.copy()
    suffix = counts.indices[longer.last]
    extensions = np.bincount(suffix, minlength=len(counts.raw))
    return np.where(extensions > 0, extensions, counts.raw)


def _prune(
    orders: Sequence[Order], raw: Sequence[Keys], thresholds: Sequence[int], V: int
) -> list[Order]:
    """Remove n-grams below the thresholds. (No n-gram is seen more often than its prefix.)"""
    result: list[Order] = []
    renumbered = np.arange(V + 1)
    for k, order in enumerate(orders):
        kept = raw[k] >= thresholds[k] if k else np.ones(V + 1, bool)
        keys = order.keys
        if k:
            keys = renumbered[keys // (V + 1)] * (V + 1) + keys % (V + 1)
            renumbered = np.cumsum(kept) - 1
        result.append(Order(keys[kept], order.nats[kept], order.backoff[kept]))
    return result
