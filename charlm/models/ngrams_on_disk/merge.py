"""From sorted runs to the n-grams of each order, numbered in order, with their counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...system.parallel import map_in_order
from . import rows
from .columns import Column, Counts, CountsWriter, Keys, Writer
from .rows import Rows
from .runs import Runs


@dataclass(frozen=True)
class Ngrams:
    """The n-grams of order k, sorted; what is known of each."""

    directory: Path
    order: int  # k
    index: npt.DTypeLike = np.int64  # type of the number of an n-gram

    def _column(self, name: str, dtype: npt.DTypeLike) -> Column:
        return Column(self.directory / f"{self.order}.{name}", dtype)

    @property
    def keys(self) -> Column:
        """Index of the prefix · (V + 1) + last word; see `ngram.Order`."""
        return self._column("keys", np.int64)

    @property
    def raw(self) -> Counts:
        """How often each occurs."""
        return Counts(self.directory / f"{self.order}.raw")

    @property
    def adjusted(self) -> Counts:
        """a(g), see `kneser_ney`."""
        return Counts(self.directory / f"{self.order}.adjusted")

    @property
    def sorted_keys(self) -> Column:
        """The key of each one's suffix among those of order k − 1, sorted within each block."""
        return self._column("suffix-keys", np.int64)

    @property
    def places(self) -> Column:
        """Which one of its block each of `sorted_keys` belongs to."""
        return self._column("places", np.uint32)

    @property
    def sorted_suffixes(self) -> Column:
        """The index of each one's suffix, in the order of `sorted_keys`."""
        return self._column("sorted-suffixes", self.index)

    @property
    def suffixes(self) -> Column:
        """The same in the order of the n-grams."""
        return self._column("suffixes", self.index)

    @property
    def lower(self) -> Column:
        """P of the suffix, in the order of `sorted_keys`."""
        return self._column("lower", np.float64)

    @property
    def probability(self) -> Column:
        """P."""
        return self._column("probability", np.float64)

    @property
    def nats(self) -> Column:
        """log P."""
        return self._column("nats", np.float32)

    @property
    def backoff(self) -> Column:
        """β of each as a context, nats."""
        return self._column("backoff", np.float32)

    @property
    def kept(self) -> Ngrams:
        """Keys, log P and β of those that are not too rare."""
        return Ngrams(self.directory / "kept", self.order, self.index)


def merge(
    runs: Runs, ngrams: Sequence[Ngrams], threads: int, progress: Callable[[float], None]
) -> list[int]:
    """Write keys and raw counts of the n-grams of all orders; return how many there are of each."""
    text = runs.text
    parts = len(runs.ranges) + 1
    with ExitStack() as files:
        levels = [
            _Level(files.enter_context(one.keys.written()), files.enter_context(one.raw.written()))
            for one in ngrams[1:]
        ]
        unigrams = np.zeros(text.vocab_size + 1, np.int64)
        last: list[int] | None = None
        for part, (found, counts) in enumerate(
            map_in_order(runs.read, range(parts), threads=threads, ahead=1)
        ):
            if len(counts):
                _number(found, counts, last, unigrams, levels, text.vocab_size + 1)
                last = [int(words[-1]) for words in found]
            progress((part + 1) / parts)
        for level in levels:
            level.close()
    if not text.lines:
        unigrams[text.eos] -= 1  # the one added before the text
    with ngrams[0].keys.written() as keys, ngrams[0].raw.written() as raw:
        keys.append(np.arange(text.vocab_size + 1))
        raw.append(unigrams)
    return [len(unigrams), *(level.length for level in levels)]


@dataclass
class _Level:
    """The n-grams of one order being written; the count of the last one may still grow."""

    keys: Writer
    raw: CountsWriter
    length: int = 0  # n-grams so far
    held: Keys = field(default_factory=lambda: np.zeros(0, np.int64))  # (0 or 1,) its last count

    def add(self, keys: Keys, counts: Keys) -> None:
        self.close()
        self.keys.append(keys)
        self.length += len(keys)
        self.raw.append(counts[:-1])
        self.held = counts[-1:]

    def close(self) -> None:
        self.raw.append(self.held)
        self.held = self.held[:0]


def _number(
    found: Rows,
    counts: Keys,
    last: Sequence[int] | None,
    unigrams: Keys,
    levels: Sequence[_Level],
    base: int,
) -> None:
    """Number the n-grams of a range: each order's, in order, from those before them on.

    found: sorted rows; last: the one before them, of the range before.
    """
    new = rows.new_prefixes(found, last)
    starts = np.flatnonzero(new[0])
    bounds = starts if len(starts) and starts[0] == 0 else np.concatenate([[0], starts])
    unigrams[found[0][bounds]] += np.add.reduceat(counts, bounds)
    prefix = found[0].astype(np.int64)  # of each row's first k − 1 words
    for k, level in enumerate(levels, 1):
        changed, real = new[k], found[k] != base  # which stands for padding, too
        starts = np.flatnonzero(changed)
        before = counts[: starts[0]].sum() if len(starts) else counts.sum()
        if before and real[0]:
            level.held = level.held + before  # the rows before the first change are of the last one
        if len(starts):
            totals = np.add.reduceat(counts, starts)
            kept = real[starts]
            if kept.any():
                chosen = starts[kept]
                level.add(prefix[chosen] * base + found[k][chosen], totals[kept])
        if k < len(levels):
            added = changed & real
            prefix = np.cumsum(added) + (level.length - int(added.sum()) - 1)
