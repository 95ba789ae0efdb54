"""Token ids of all the words of a text at once, each word segmented only when first seen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from ..lm import Ids
from .word_table import Numbers, WordTable, pack

MAX_WORDS, MAX_BYTES = 1 << 18, 1 << 24  # remembered; then all are forgotten
MIN_CHARS = 1 << 13  # of a text for which this is worth while


class _Seen:
    """Words and their token ids: `ids[begins[k]:][:lengths[k]]` of word number k."""

    def __init__(self, dtype: npt.DTypeLike) -> None:
        self.table = WordTable()
        self.arrays = (np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros(1, dtype))

    def learn(self, words: Iterable[bytes], segment: Callable[[str], Sequence[int]]) -> None:
        """Segment new words. Other threads may read meanwhile: they find a word when all is set."""
        new = [word for word in dict.fromkeys(words) if not self.table.number(word)]
        parts = [segment(word.decode("utf-8", "surrogatepass")) for word in new]
        begins, lengths, ids = self.arrays
        more = np.fromiter(map(len, parts), np.int64, len(parts))
        flat = np.fromiter((i for part in parts for i in part), ids.dtype, int(more.sum()))
        self.arrays = (
            np.concatenate((begins, len(ids) + np.cumsum(more) - more)),
            np.concatenate((lengths, more)),
            np.concatenate((ids, flat)),
        )
        self.table.add(new)

    def is_full(self) -> bool:
        return len(self.table) > MAX_WORDS or self.table.bytes_ > MAX_BYTES

    def ids(self, numbers: Numbers) -> Ids:
        """The token ids of words, one word after the other."""
        begins, lengths, ids = self.arrays
        if len(ids) == len(begins):  # one token a word, so far: token k is of word k
            return ids.take(numbers)
        begin, length = begins.take(numbers), lengths.take(numbers)
        before = np.cumsum(length) - length  # tokens of the words before
        return ids.take(np.repeat(begin - before, length) + np.arange(length.sum()))


class WordMemo:
    """`encode` of long texts, in several threads if need be."""

    def __init__(self, segment: Callable[[str], Sequence[int]], dtype: npt.DTypeLike) -> None:
        """segment: the ids of a word between whitespace, or of a newline; dtype: their type."""
        self._segment, self._dtype = segment, dtype
        self._seen = _Seen(dtype)
        self._lock = threading.Lock()

    def encode(self, text: str) -> Ids:
        """Ids (N,) of the words of `text`, in which there must be no NUL."""
        words = pack(text)
        with self._lock:
            if self._seen.is_full():
                self._seen = _Seen(self._dtype)
            seen = self._seen
        numbers = seen.table.find(words)
        unknown = np.flatnonzero(numbers == 0)
        if len(unknown):
            new, place = words.distinct(unknown)
            with self._lock:
                seen.learn(new, self._segment)
            numbers[unknown] = np.array(list(map(seen.table.number, new)))[place]
        return seen.ids(numbers)
