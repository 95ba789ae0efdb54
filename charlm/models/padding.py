"""Which sequences to run side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..lm import Ids

ROWS = 128  # most sequences that are run side by side


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Group the places of non-empty sequences: longest first, none below half its group's longest.

    So at most half of a padded batch is padding, whatever the lengths.
    """
    order = sorted((i for i, n in enumerate(lengths) if n > 0), key=lambda i: -lengths[i])
    group: list[int] = []
    for i in order:
        if group and (len(group) == ROWS or 2 * lengths[i] < lengths[group[0]]):
            yield group
            group = []
        group.append(i)
    if group:
        yield group


def padded(seqs: Sequence[Ids], fill: int) -> Ids:
    """Sequences as rows (B, T), the longest first, filled up at their ends."""
    ids_BT = np.full((len(seqs), len(seqs[0])), fill, np.int64)
    for row, seq in zip(ids_BT, seqs, strict=True):
        row[: len(seq)] = seq
    return ids_BT
