"""Interpolated probabilities of n-grams on disk, one order after the other; see `interpolation`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...system.parallel import map_in_order
from ..interpolation import Discounts, Probabilities, counts_of_counts, interpolate, log
from ..ngram import START_NATS, Keys, Values
from .columns import Column
from .merge import Ngrams
from .suffixes import Sizes, blocks, in_order, spans


def low_counts(ngrams: Ngrams, sizes: Sizes, *, last: bool) -> Keys:
    """n_1 … n_4 of an order (4,), whose adjusted counts are written unless it is the last one."""
    adjusted = ngrams.raw if last else ngrams.adjusted
    found = np.zeros(4, np.int64)
    for start, stop in spans(ngrams, sizes.block):
        a = adjusted.read(start, stop)
        if ngrams.order == 1 and stop == sizes.base:
            a[-1] = 0  # <s> is not a word
        found += counts_of_counts(a)
    return found


def smooth_unigrams(unigrams: Ngrams, base: int, D: Discounts, *, last: bool) -> None:
    """Write P and log P of all words, interpolated with 1/V."""
    raw = unigrams.raw.read(0, base)
    adjusted = raw.copy() if last else unigrams.adjusted.read(0, base)
    adjusted[-1] = 0
    none = np.zeros(base, np.int64)
    probability, _ = interpolate(none, adjusted, raw >= 1, D, np.full(base, 1.0 / (base - 1)))
    nats = log(probability)
    nats[-1] = START_NATS
    with unigrams.probability.written() as file:
        file.append(probability)
    with unigrams.nats.written() as file:
        file.append(nats)


def smooth(
    ngrams: Ngrams,
    below: Ngrams,
    sizes: Sizes,
    minimum: int,
    D: Discounts,
    progress: Callable[[float], None],
    *,
    last: bool,
) -> None:
    """Write P and log P of the n-grams of an order, and the weights β of the order below.

    minimum: count of those that keep a probability of their own. last: nothing is above them, so
    that P is not needed.
    """
    ranges = blocks(ngrams, sizes)
    _find_lower(ngrams, below, ranges, sizes, lambda done: progress(0.4 * done))

    def work(rows: tuple[int, int]) -> tuple[int, Probabilities, Values, Values]:
        keys = ngrams.keys.read(*rows)
        prefix = keys // sizes.base
        first = int(prefix[0])
        raw = ngrams.raw.read(*rows) if last or minimum > 1 else None
        adjusted = raw if last and raw is not None else ngrams.adjusted.read(*rows)
        kept = np.ones(len(keys), bool) if minimum == 1 or raw is None else raw >= minimum
        if ngrams.order == 2:
            lower = unigrams[keys % sizes.base]
        else:
            lower = in_order(ngrams, rows, ngrams.lower.read(*rows))
        probability, gamma = interpolate(prefix - first, adjusted, kept, D, lower)
        return first, probability, log(probability), log(gamma)

    unigrams = below.probability.mapped() if ngrams.order == 2 else np.zeros(0)
    contexts = len(below.keys)
    with (
        ngrams.probability.written() as probabilities,
        ngrams.nats.written() as nats,
        below.backoff.written() as backoff,
    ):
        written = 0  # contexts
        done = map_in_order(work, ranges, threads=sizes.threads, ahead=1)
        for number, (first, probability, log_probability, log_gamma) in enumerate(done, 1):
            if not last:
                probabilities.append(probability)
            nats.append(log_probability)
            backoff.append(np.zeros(first - written, np.float32))  # of those that nothing follows
            backoff.append(log_gamma)
            written = first + len(log_gamma)
            progress(0.4 + 0.6 * number / len(ranges))
        backoff.append(np.zeros(contexts - written, np.float32))


def _find_lower(
    ngrams: Ngrams,
    below: Ngrams,
    ranges: list[tuple[int, int]],
    sizes: Sizes,
    progress: Callable[[float], None],
) -> None:
    """Write P of each n-gram's suffix, in the order in which these were sorted."""
    if ngrams.order == 2:
        return
    ngrams.lower.reserve(len(ngrams.keys))
    parts = spans(below, sizes.span)
    starts = [start for start, _ in parts]
    bounds = [_bounds(ngrams.sorted_suffixes, rows, starts) for rows in ranges]
    for number, (start, stop) in enumerate(parts):
        probability = below.probability.read(start, stop)
        pieces = [(found[number], found[number + 1]) for found in bounds]

        def look_up(
            piece: tuple[int, int], probability: Probabilities = probability, start: int = start
        ) -> None:
            suffixes = ngrams.sorted_suffixes.read(*piece).astype(np.int64)
            ngrams.lower.put(piece[0], probability[suffixes - start])

        for _ in map_in_order(look_up, pieces, threads=sizes.threads, ahead=1):
            pass
        progress((number + 1) / len(parts))


def _bounds(suffixes: Column, rows: tuple[int, int], starts: list[int]) -> list[int]:
    """Where, among the sorted suffixes of a block, those of each span begin, and the end."""
    mapped = suffixes.mapped()[slice(*rows)]
    return [rows[0] + int(at) for at in np.searchsorted(mapped, starts)] + [rows[1]]
