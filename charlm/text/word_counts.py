"""How often each word of a text occurs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ..system.parallel import map_in_order
from .pieces import joined
from .word_table import PACKED_BYTES, U64, Positions, Words, WordTable, can_be_packed, hashes, pack

TABLE_TYPES, TABLE_BYTES = 1 << 18, 1 << 24  # counted in a table: the first, mostly frequent ones
MAX_TYPES = 2_000_000  # the rarest of more are dropped
MAX_WAITING = 1 << 20  # counts of other words that are added up at a time


def words_of(text: str, lower: bool = False) -> list[str]:
    """The words between whitespace, and a newline as an item of its own for each line end."""
    words: list[str] = []
    for line in (text.lower() if lower else text).split("\n"):
        words += line.split()
        words.append("\n")
    words.pop()
    return words


def count_words(chunks: Iterable[str], *, lower: bool) -> Iterator[tuple[str, int]]:
    """Words, as `words_of` finds them, and how often they occur; some come in several parts.

    `chunks` must not split words. At most about MAX_TYPES different words are given: of more, those
    that occur most often.
    """
    table, counts = WordTable(), np.zeros(1, np.int64)
    others = _Others()

    def look_up(text: str) -> Counter[str] | _LookedUp:
        if not can_be_packed(text):
            return Counter(words_of(text, lower))
        words = pack(text.lower() if lower else text)
        numbers = table.find(words)
        return _LookedUp(np.bincount(numbers), _tally(words, np.flatnonzero(numbers == 0)))

    for found in map_in_order(look_up, joined(chunks)):
        if isinstance(found, Counter):
            yield from found.items()
            continue
        counts[: len(found.counts)] += found.counts
        if len(table) > TABLE_TYPES or table.bytes_ > TABLE_BYTES:
            others.add(found.unknown)
            continue
        new = list(found.unknown.items())
        table.add(word for word, _ in new)  # unknown then: some may have been added since
        counts = np.pad(counts, (0, len(table) + 1 - len(counts)))
        np.add.at(counts, [table.number(word) for word, _ in new], [n for _, n in new])
    yield from zip(table.words(), counts[1:].tolist(), strict=True)
    yield from others.items()


@dataclass(frozen=True)
class _Tally:
    """Different words, and how often each occurs: short ones packed, and long ones in UTF-8."""

    low: U64  # (K,) as in `Words`
    high: U64  # (K,)
    times: Positions  # (K,)
    long: Mapping[bytes, int]

    def items(self) -> Iterator[tuple[bytes, int]]:
        packed = np.stack([self.low, self.high], axis=1).astype("<u8")
        short = packed.view(f"S{PACKED_BYTES}")[:, 0].tolist()  # without the zeros at their end
        yield from zip(short, self.times.tolist(), strict=True)
        yield from self.long.items()


class _LookedUp(NamedTuple):
    """The words of a block of text: how often each occurs that a table has, and all others."""

    counts: Positions  # by number; of number 0, those that are unknown
    unknown: _Tally


def _tally(words: Words, which: Positions) -> _Tally:
    """The different words among those at `which`."""
    long = words.lengths[which] > PACKED_BYTES
    short = which[~long]
    low, high = words.low[short], words.high[short]
    found = _added_up(low, high, np.ones(len(short), np.int64))
    return _Tally(*found, Counter(map(words.encoded, which[long].tolist())))


def _added_up(low: U64, high: U64, times: Positions) -> tuple[U64, U64, Positions]:
    """Each word once (twice if one of the same hash is between), with the sum of its `times`."""
    if not len(low):
        return low, high, times
    order = np.argsort(hashes(low, high))
    low, high = low[order], high[order]
    starts = np.flatnonzero(
        np.concatenate([[True], (low[1:] != low[:-1]) | (high[1:] != high[:-1])])
    )
    return low[starts], high[starts], np.add.reduceat(times[order], starts)


@dataclass
class _Others:
    """Counts of words that are not in a table, added up now and then."""

    waiting: list[_Tally] = field(default_factory=list)
    counts: int = 0  # added since they were added up
    long: dict[bytes, int] = field(default_factory=dict)

    def add(self, tally: _Tally) -> None:
        self.waiting.append(tally)
        self.counts += len(tally.low)
        for word, n in tally.long.items():
            self.long[word] = self.long.get(word, 0) + n
        if self.counts > MAX_WAITING:
            self._add_up()

    def items(self) -> Iterator[tuple[str, int]]:
        self._add_up()
        for tally in self.waiting:
            yield from ((_decoded(word), n) for word, n in tally.items())
        yield from ((_decoded(word), n) for word, n in self.long.items())

    def _add_up(self) -> None:
        """Add up what is waiting, and drop the rarest words if there are too many."""
        if not self.waiting:
            return
        low, high, times = (
            np.concatenate([getattr(one, name) for one in self.waiting])
            for name in ("low", "high", "times")
        )
        low, high, times = _added_up(low, high, times)
        rare = 0
        while np.count_nonzero(times > rare) + len(self.long) > MAX_TYPES:
            rare += 1
            self.long = {word: n for word, n in self.long.items() if n > rare}
        kept = times > rare
        self.waiting = [_Tally(low[kept], high[kept], times[kept], {})]
        self.counts = 0


def _decoded(word: bytes) -> str:
    return word.decode("utf-8", "surrogatepass")
