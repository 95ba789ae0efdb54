"""A table from words to numbers that looks up all the words of a text at once, in NumPy.

A word of up to 16 bytes of UTF-8 is two integers of 64 bits, found in a hash table with linear
probing (Knuth, The Art of Computer Programming 3, 6.4) that is read for many words at a time;
longer ones are looked up one by one. Exact: words are compared, not their hashes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

U64: TypeAlias = npt.NDArray[np.uint64]
Numbers: TypeAlias = npt.NDArray[np.uint32]
Positions: TypeAlias = npt.NDArray[np.int64]

NEWLINE, SPACE = 10, 32
OTHER_GAPS = np.array([[9, 13], [28, 31]], np.uint8)  # first and last of the other ASCII whitespace
PACKED_BYTES = 16  # of the longest word that is packed
FILLED = 1 / 4  # of the slots, at most: then nearly all words are in the first slot looked at
DENSE = 1 / 2  # the same, where there are many words
MANY_WORDS = 1 << 16  # put into a table at a time
OTHER_SPACES = re.compile("[\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")

_FIRST_BYTES = [(1 << 8 * k) - 1 for k in range(9)]  # masks of the first k bytes
_LOW_MASKS = np.array(_FIRST_BYTES + _FIRST_BYTES[-1:] * 8, np.uint64)  # by length, 0 to 16
_HIGH_MASKS = np.array([0] * 8 + _FIRST_BYTES, np.uint64)
_FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], np.uint64)  # odd, bits well mixed
_FOLD = np.uint64(29)  # bits: so that the high ones depend on all


@dataclass(frozen=True)
class Words:
    """The N words of a text in order; a newline is a word of its own."""

    bytes_: npt.NDArray[np.uint8]  # of the text in UTF-8, with a space before and after
    starts: Positions  # (N,) where each begins in `bytes_`
    lengths: Positions  # (N,) in bytes
    low: U64  # (N,) its first 8 bytes, the first of them lowest, filled up with zeros
    high: U64  # (N,) the next 8

    def encoded(self, k: int) -> bytes:
        """Word k in UTF-8."""
        start = self.starts[k]
        return self.bytes_[start : start + self.lengths[k]].tobytes()

    def distinct(self, which: Positions) -> tuple[list[bytes], Positions]:
        """The different words, in UTF-8, among those at `which` (M,), and which of them each is."""
        low, high, long = self.low[which], self.high[which], self.lengths[which] > PACKED_BYTES
        order = np.lexsort((high, low))
        low, high = low[order], high[order]
        long = long[order]
        other = np.ones(len(order), bool)  # than the one before; next to long ones, taken to be so
        other[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1]) | long[1:] | long[:-1]
        place = np.empty(len(order), np.int64)
        place[order] = np.cumsum(other) - 1
        return list(map(self.encoded, which[order[other]].tolist())), place


def can_be_packed(text: str) -> bool:
    """Whether no word has a NUL in it, which packed words are filled up with."""
    return "\0" not in text


def pack(text: str) -> Words:
    """The words of a text, as `str.split` finds them within each line. It must have no NUL."""
    if not text.isascii():
        text = OTHER_SPACES.sub(" ", text)
    data = text.encode("utf-8", "surrogatepass")
    n = len(data)
    padded = np.full(n + 1 + PACKED_BYTES, SPACE, np.uint8)
    padded[1 : n + 1] = np.frombuffer(data, np.uint8)
    is_newline = padded == NEWLINE
    is_gap = padded == SPACE
    for first, last in OTHER_GAPS:
        is_gap |= (padded - first) <= last - first  # modulo 256, so that no smaller byte passes
    is_gap &= ~is_newline
    is_border = is_gap | is_newline
    begins = ~is_gap[1:] & (is_border[:-1] | is_newline[1:])
    ends = ~is_gap[:-1] & (is_border[1:] | is_newline[:-1])
    starts = np.flatnonzero(begins) + 1
    lengths = np.flatnonzero(ends) + 1 - starts
    # eight bytes from every position on; those after the last word's are never looked at
    eight = np.ndarray((len(padded) - 7,), "<u8", padded.data, strides=(1,))
    packed = np.minimum(lengths, PACKED_BYTES)
    low = eight[starts] & _LOW_MASKS[packed]
    high = eight[starts + 8] & _HIGH_MASKS[packed]
    return Words(padded, starts, lengths, low, high)


class WordTable:
    """Word → its number: 1 for the first word added, 2 for the next, … and 0 for all others.

    Reading in several threads while one of them adds is safe: what is being added may be found or
    not.
    """

    def __init__(self, words: Iterable[str] = ()) -> None:
        self.bytes_ = 0  # of all words together
        self._numbers: dict[bytes, int] = {}  # of all words
        self._rows = np.zeros((1 << 12, 3), np.uint64)  # slots: low, high, number; 0 = free
        self.add(word.encode("utf-8", "surrogatepass") for word in words)

    @classmethod
    def of_all(cls, words: Sequence[str]) -> WordTable | None:
        """A table of many different words to look up in, not to add to; faster than adding them.

        None if a text cannot have some of them, because there is whitespace or a NUL in them.
        """
        table, size = cls(), 1 << 12
        while DENSE * size < len(words):
            size *= 2
        table._rows = np.zeros((size, 3), np.uint64)
        for start in range(0, len(words), MANY_WORDS):
            part = words[start : start + MANY_WORDS]
            text = "\n".join(part)
            if not can_be_packed(text) or OTHER_SPACES.search(text):
                return None
            packed = pack(text)
            gaps = len(packed.bytes_) - 1 - PACKED_BYTES - int(packed.lengths.sum())
            if gaps or len(packed.starts) != 2 * len(part) - 1:
                return None
            low, high, lengths = packed.low[::2], packed.high[::2], packed.lengths[::2]
            short = np.flatnonzero(lengths <= PACKED_BYTES)
            numbers = (short + start + 1).astype(np.uint64)
            _put(table._rows, low[short], high[short], numbers)
            for k in np.flatnonzero(lengths > PACKED_BYTES).tolist():
                table._numbers[packed.encoded(2 * k)] = start + k + 1
        return table

    def __len__(self) -> int:
        return len(self._numbers)

    def words(self) -> list[str]:
        """All words, in the order of their numbers."""
        return [word.decode("utf-8", "surrogatepass") for word in self._numbers]

    def add(self, words: Iterable[bytes]) -> None:
        """Give a number to those words, in UTF-8, that have none."""
        before = len(self._numbers)
        for word in words:
            if word not in self._numbers:
                self._numbers[word] = len(self._numbers) + 1
                self.bytes_ += len(word)
        added = list(islice(reversed(self._numbers.items()), len(self._numbers) - before))
        if FILLED * len(self._rows) < len(self._numbers):
            self._grow()
        short = [(word, number) for word, number in added if len(word) <= PACKED_BYTES]
        packed = np.array(
            [word.ljust(PACKED_BYTES, b"\0") for word, _ in short], f"S{PACKED_BYTES}"
        )
        low, high = packed.view("<u8").reshape(-1, 2).T.astype(np.uint64)
        _put(self._rows, low, high, np.array([number for _, number in short], np.uint64))

    def number(self, word: bytes) -> int:
        """The number of one word in UTF-8."""
        return self._numbers.get(word, 0)

    def find(self, words: Words) -> Numbers:
        """The number of each word, (N,)."""
        rows = self._rows  # another thread may replace it by a larger one
        slots = _slots(words.low, words.high, len(rows))
        found = rows.take(slots, 0)
        numbers = found[:, 2].astype(np.uint32)
        wrong = np.flatnonzero((found[:, 0] != words.low) | (found[:, 1] != words.high))
        taken = numbers[wrong] != 0
        numbers[wrong] = 0
        left, slots = wrong[taken], slots[wrong[taken]]
        while len(left):  # in the next slot, unless a free one comes first
            slots = (slots + 1) & (len(rows) - 1)
            found = rows.take(slots, 0)
            right = (found[:, 0] == words.low[left]) & (found[:, 1] == words.high[left])
            numbers[left[right]] = found[right, 2]
            more = ~right & (found[:, 2] != 0)
            left, slots = left[more], slots[more]
        for k in np.flatnonzero(words.lengths > PACKED_BYTES).tolist():
            numbers[k] = self._numbers.get(words.encoded(k), 0)
        return numbers

    def _grow(self) -> None:
        size = len(self._rows)
        while FILLED * size < len(self._numbers):
            size *= 4
        rows = np.zeros((size, 3), np.uint64)
        low, high, number = self._rows[self._rows[:, 2] != 0].T
        _put(rows, low, high, number)
        self._rows = rows


def hashes(low: U64, high: U64) -> U64:
    """A number of 64 well-mixed bits for each packed word."""
    first, second = _FACTORS
    mixed = low * first
    mixed ^= high * second
    mixed ^= mixed >> _FOLD
    mixed *= first
    return np.asarray(mixed)


def _slots(low: U64, high: U64, size: int) -> Positions:
    """The slot at which the search for each word begins: the highest bits of its hash."""
    mixed = hashes(low, high)
    mixed >>= np.uint64(65 - size.bit_length())
    return np.asarray(mixed.view(np.int64))


def _put(rows: U64, low: U64, high: U64, numbers: U64) -> None:
    """Put new words into the first free slots from where `_slots` begins; there must be room."""
    slots = _slots(low, high, len(rows))
    while len(numbers):
        first = np.zeros(len(slots), bool)  # of the words that want the same slot
        first[np.unique(slots, return_index=True)[1]] = True
        first &= rows[slots, 2] == 0
        here = slots[first]
        rows[here, 0], rows[here, 1] = low[first], high[first]
        rows[here, 2] = numbers[first]  # last: until then a reader takes the slot to be free
        low, high, numbers = low[~first], high[~first], numbers[~first]
        slots = (slots[~first] + 1) & (len(rows) - 1)
