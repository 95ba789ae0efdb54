"""Rows of N words each: sorted, counted, and packed into few bytes.

A row is an n-gram of order N, or a shorter one and padding, which stands above all words. N arrays
(n,) hold the first, second, … words of n rows. Sorted rows share their first words with the row
before, so that a block of them is packed as the number of shared words and the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .columns import ESCAPE, Keys

Words: TypeAlias = npt.NDArray[np.uint32]
Rows: TypeAlias = list[Words]
Packed: TypeAlias = npt.NDArray[np.uint64]  # several words of a row in one number
Mask: TypeAlias = npt.NDArray[np.bool_]

KEY_BITS = 64


def first_words(rows: Sequence[Words], bits: int) -> Packed:
    """As many of each row's first words as fit into one number, of so many bits each."""
    keys = rows[0].astype(np.uint64)
    for words in rows[1 : KEY_BITS // bits]:
        keys <<= np.uint64(bits)
        keys |= words
    return keys


def sort(rows: Rows, bits: int, counts: Keys | None = None) -> tuple[Rows, Keys]:
    """The different rows, sorted, and how often each occurs (the sum of its `counts`).

    Words have at most `bits` bits. The first words are replaced by their rank among those of all
    rows, until a whole row is one number of 64 bits.
    """
    keys = first_words(rows, bits)
    done = min(len(rows), KEY_BITS // bits)
    steps: list[tuple[Packed | None, int]] = [(None, done)]  # what ranks stand for, words added
    while done < len(rows):
        order = np.argsort(keys)
        in_order = keys[order]
        new = changes(in_order)
        distinct = in_order[new]
        ranks = np.cumsum(new, dtype=np.uint64)
        ranks -= np.uint64(1)
        keys[order] = ranks
        used, more = (len(distinct) - 1).bit_length(), 0
        while done < len(rows) and used + bits <= KEY_BITS:
            keys <<= np.uint64(bits)
            keys |= rows[done]
            used, done, more = used + bits, done + 1, more + 1
        steps.append((distinct, more))
    if counts is None:
        keys.sort()
        starts = np.flatnonzero(changes(keys))
        totals = np.diff(starts, append=len(keys))
    else:
        order = np.argsort(keys)
        keys = keys[order]
        starts = np.flatnonzero(changes(keys))
        totals = np.add.reduceat(counts[order], starts) if len(keys) else counts
    return _words(keys[starts], steps, bits), totals


def _words(keys: Packed, steps: Sequence[tuple[Packed | None, int]], bits: int) -> Rows:
    """The rows that `sort` made numbers of."""
    rows: Rows = []
    shift, mask = np.uint64(bits), np.uint64((1 << bits) - 1)
    for distinct, words in reversed(steps):
        for _ in range(words):
            rows.append((keys & mask).astype(np.uint32))
            keys = keys >> shift
        if distinct is not None:
            keys = distinct[keys]
    return rows[::-1]


def changes(values: npt.NDArray[np.uint64]) -> Mask:
    """Where a sorted array has another value than just before."""
    new = np.ones(len(values), bool)
    np.not_equal(values[1:], values[:-1], out=new[1:])
    return new


def new_prefixes(rows: Sequence[Words], before: Sequence[int] | None = None) -> list[Mask]:
    """Where the first 1 … N words differ from those of the row before; see `pack`.

    before: the words of the row before the first one, if there is one.
    """
    found: list[Mask] = []
    new = np.zeros(len(rows[0]), bool)
    for k, words in enumerate(rows):
        new = new.copy()
        new[1:] |= words[1:] != words[:-1]
        if len(words):
            new[0] |= before is None or int(words[0]) != before[k]
        found.append(new)
    return found


def width(largest: int) -> int:
    """Bytes of a word."""
    return (largest.bit_length() + 7) // 8


def pack(rows: Rows, counts: Keys, size: int) -> bytes:
    """A block of sorted, different rows, with words of `size` bytes."""
    new = new_prefixes(rows)
    shared = np.full(len(counts), len(rows), np.uint8)
    for one in new:
        shared -= one
    large = np.flatnonzero(counts >= ESCAPE)
    head = np.array([len(counts), len(large), *(int(one.sum()) for one in new)], np.int64)
    parts = [head.tobytes(), shared.tobytes()]
    for words, one in zip(rows, new, strict=True):
        parts.append(words[one].view(np.uint8).reshape(-1, 4)[:, :size].tobytes())
    parts.append(np.minimum(counts, ESCAPE).astype(np.uint8).tobytes())
    parts.append(counts[large].tobytes())
    return b"".join(parts)


def unpack(block: bytes, order: int, size: int) -> tuple[Rows, Keys]:
    """The rows of a block, and their counts."""
    head = np.frombuffer(block, np.int64, order + 2)
    n, large, at = int(head[0]), int(head[1]), head.nbytes
    shared = np.frombuffer(block, np.uint8, n, at)
    at += n
    rows: Rows = []
    for k, length in enumerate(head[2:].tolist()):
        words = np.zeros((length, 4), np.uint8)
        stored = np.frombuffer(block, np.uint8, length * size, at)
        words[:, :size] = stored.reshape(length, size)
        at += length * size
        starts = np.flatnonzero(shared <= k)
        rows.append(np.repeat(words.view(np.uint32)[:, 0], np.diff(starts, append=n)))
    counts = np.frombuffer(block, np.uint8, n, at).astype(np.int64)
    counts[counts == ESCAPE] = np.frombuffer(block, np.int64, large, at + n)
    return rows, counts
