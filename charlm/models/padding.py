"""Batching and padding: which sequences to run together, and how many rows fit in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..lm import Ids

MAX_BATCH = 128  # sequences run in parallel
MAX_ENTRIES = 8 << 20  # of an intermediate array: 32 MiB in float32


def rows_that_fit(width: int) -> int:
    """How many rows of `width` entries an intermediate array may have; at least one."""
    return max(1, MAX_ENTRIES // width)


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Group the indices of non-empty sequences: longest first, none below half its group's longest.

    So at most half of a padded batch is padding.
    """
    order = sorted((i for i, n in enumerate(lengths) if n > 0), key=lambda i: -lengths[i])
    group: list[int] = []
    for i in order:
        if group and (len(group) == MAX_BATCH or 2 * lengths[i] < lengths[group[0]]):
            yield group
            group = []
        group.append(i)
    if group:
        yield group


def pad(seqs: Sequence[Ids], fill: int) -> Ids:
    """Sequences, the longest first, as rows (B, T), padded at the end with `fill`."""
    ids_BT = np.full((len(seqs), len(seqs[0])), fill, np.int64)
    for row, seq in zip(ids_BT, seqs, strict=True):
        row[: len(seq)] = seq
    return ids_BT
