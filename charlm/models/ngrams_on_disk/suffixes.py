"""Which n-gram of order k − 1 each of order k ends with, and how many end with it.

The suffix of an n-gram is that of its prefix and its last word, so that its key is known from the
order below:

    key(suffix(g)) = suffix(prefix(g)) · (V + 1) + last word of g

These keys are sorted within blocks of n-grams, and looked up in one range of the order below after
the other: both are read from the disk in order, and only a range need fit into memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ...system.parallel import map_in_order
from .columns import Array, Keys
from .merge import Ngrams


@dataclass(frozen=True)
class Sizes:
    """How much is in memory at a time, and in how many threads."""

    base: int  # V + 1
    block: int  # n-grams of one order that are sorted at a time
    span: int  # n-grams of the order below that are looked up in
    threads: int


def blocks(ngrams: Ngrams, sizes: Sizes) -> list[tuple[int, int]]:
    """Ranges of the n-grams of an order, each with all that go on from its contexts."""
    length = len(ngrams.keys)
    if not length:
        return []
    keys = ngrams.keys.mapped()
    bounds = [0]
    while bounds[-1] + sizes.block < length:
        context = int(keys[bounds[-1] + sizes.block]) // sizes.base
        end = int(np.searchsorted(keys, context * sizes.base))
        if end == bounds[-1]:  # a single context fills more than a block
            end = int(np.searchsorted(keys, (context + 1) * sizes.base))
        bounds.append(end)
    if bounds[-1] < length:
        bounds.append(length)
    return list(pairwise(bounds))


def find_suffixes(
    ngrams: Ngrams, below: Ngrams, sizes: Sizes, progress: Callable[[float], None], *, last: bool
) -> None:
    """Write the suffix of each n-gram, and the adjusted counts of the order below.

    last: that it is the longest order, of which `suffixes` in their own order are not needed.
    """
    if ngrams.order == 2:
        _count_predecessors(ngrams, below, sizes)
        return
    ranges = blocks(ngrams, sizes)
    parts = spans(below, sizes.span)
    first_keys = np.array([int(below.keys.read(start, start + 1)[0]) for start, _ in parts])
    for column in (ngrams.sorted_keys, ngrams.places, ngrams.sorted_suffixes):
        column.reserve(len(ngrams.keys))

    def sort(rows: tuple[int, int]) -> Keys:
        start, stop = rows
        keys = ngrams.keys.read(start, stop)
        prefixes, words = np.divmod(keys, sizes.base)
        wanted = _suffixes_of(below, sizes.base, int(prefixes[0]), int(prefixes[-1]) + 1)[
            prefixes - prefixes[0]
        ]
        wanted *= sizes.base
        wanted += words
        places = np.argsort(wanted)
        wanted = wanted[places]
        ngrams.sorted_keys.put(start, wanted)
        ngrams.places.put(start, places)
        return start + np.append(np.searchsorted(wanted, first_keys), stop - start)

    bounds = []  # of each block's keys: where those of each span begin, and the end
    for done, found in enumerate(map_in_order(sort, ranges, threads=sizes.threads, ahead=1), 1):
        bounds.append(found)
        progress(0.45 * done / len(ranges))
    with below.adjusted.written() as adjusted:
        for done, (start, stop) in enumerate(parts, 1):
            keys, extensions = below.keys.read(start, stop), np.zeros(stop - start, np.int64)
            pieces = [(int(found[done - 1]), int(found[done])) for found in bounds]

            def look_up(piece: tuple[int, int], keys: Keys = keys, start: int = start) -> Keys:
                wanted = ngrams.sorted_keys.read(*piece)
                indices = np.searchsorted(keys, wanted)
                ngrams.sorted_suffixes.put(piece[0], indices + start)
                return indices

            for indices in map_in_order(look_up, pieces, threads=sizes.threads, ahead=1):
                firsts = np.flatnonzero(np.diff(indices, prepend=-1))
                extensions[indices[firsts]] += np.diff(firsts, append=len(indices))
            raw = below.raw.read(start, stop)
            adjusted.append(np.where(extensions > 0, extensions, raw))
            progress(0.45 + 0.45 * done / len(parts))
    if not last:
        ngrams.suffixes.reserve(len(ngrams.keys))

        def restore(rows: tuple[int, int]) -> None:
            ngrams.suffixes.put(rows[0], in_order(ngrams, rows, ngrams.sorted_suffixes.read(*rows)))

        for _ in map_in_order(restore, ranges, threads=sizes.threads, ahead=1):
            pass
        ngrams.suffixes.sync()
    for column in (ngrams.places, ngrams.sorted_suffixes):
        column.sync()
    ngrams.sorted_keys.remove()
    progress(1.0)


def in_order(ngrams: Ngrams, rows: tuple[int, int], values: Array) -> Array:
    """Values of a block's n-grams, given in the order of its `sorted_keys`, in their own order."""
    restored = np.empty_like(values)
    restored[ngrams.places.read(*rows)] = values
    return restored


def spans(ngrams: Ngrams, size: int) -> list[tuple[int, int]]:
    """Ranges of so many n-grams."""
    length = len(ngrams.keys)
    return [(start, min(start + size, length)) for start in range(0, length, size)]


def _suffixes_of(ngrams: Ngrams, base: int, start: int, stop: int) -> Keys:
    """The suffix of each n-gram of a range."""
    if ngrams.order == 2:
        return ngrams.keys.read(start, stop) % base
    return ngrams.suffixes.read(start, stop).astype(np.int64)


def _count_predecessors(bigrams: Ngrams, unigrams: Ngrams, sizes: Sizes) -> None:
    """How many different words each word follows: the suffix of a bigram is its second word."""
    extensions = np.zeros(sizes.base, np.int64)
    for start, stop in spans(bigrams, sizes.block):
        extensions += np.bincount(bigrams.keys.read(start, stop) % sizes.base, minlength=sizes.base)
    adjusted = np.where(extensions > 0, extensions, unigrams.raw.read(0, sizes.base))
    with unigrams.adjusted.written() as file:
        file.append(adjusted)
