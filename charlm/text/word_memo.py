"""Token ids of all the words of a text at once, each word segmented only when first seen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..lm import Ids
from .word_table import Numbers, WordTable, pack

MAX_WORDS, MAX_BYTES = 1 << 19, 1 << 25  # remembered
MANY_UNKNOWN = 1 / 8  # of a text's words: then it is of another kind than what is remembered
MIN_CHARS = 1 << 13  # of a text for which this is worth while


Arrays: TypeAlias = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Ids]


class _Seen:
    """Words and their token ids: `ids[begins[k]:][:lengths[k]]` of word number k."""

    def __init__(self, dtype: npt.DTypeLike) -> None:
        self.table = WordTable()
        self.arrays: Arrays = (np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros(1, dtype))

    def learn(self, words: Iterable[bytes], segment: Callable[[str], Sequence[int]]) -> None:
        """Segment new words. Other threads may read meanwhile: they find a word when all is set."""
        new = [word for word in dict.fromkeys(words) if not self.table.number(word)]
        self.arrays = _appended(self.arrays, new, segment)
        self.table.add(new)

    def is_full(self) -> bool:
        return len(self.table) > MAX_WORDS or self.table.bytes_ > MAX_BYTES


class WordMemo:
    """`encode` of long texts, in several threads if need be."""

    def __init__(self, segment: Callable[[str], Sequence[int]], dtype: npt.DTypeLike) -> None:
        """segment: the ids of a word between whitespace, or of a newline; dtype: their type."""
        self._segment, self._dtype = segment, dtype
        self._seen = _Seen(dtype)
        self._lock = threading.Lock()

    def encode(self, text: str) -> Ids:
        """Ids (N,) of the words of `text`, in which there must be no NUL.

        What is remembered when memory for it is full stays, and the rest is segmented where it
        occurs: in most texts rare words. If they are many, all is forgotten.
        """
        words = pack(text)
        seen = self._seen
        numbers = seen.table.find(words)
        unknown = np.flatnonzero(numbers == 0)
        if not len(unknown):
            return _ids(seen.arrays, numbers)
        new, place = words.distinct(unknown)
        with self._lock:
            if not seen.is_full():
                seen.learn(new, self._segment)
                numbers[unknown] = np.array(list(map(seen.table.number, new)))[place]
                return _ids(seen.arrays, numbers)
            if len(unknown) > MANY_UNKNOWN * len(numbers) and seen is self._seen:
                self._seen = _Seen(self._dtype)
        numbers[unknown] = len(seen.arrays[0]) + place
        return _ids(_appended(seen.arrays, new, self._segment), numbers)


def _appended(arrays: Arrays, words: Sequence[bytes], segment: Callable[[str], Any]) -> Arrays:
    """With the ids of more words."""
    begins, lengths, ids = arrays
    parts = [segment(word.decode("utf-8", "surrogatepass")) for word in words]
    more = np.fromiter(map(len, parts), np.int64, len(parts))
    flat = np.fromiter((i for part in parts for i in part), ids.dtype, int(more.sum()))
    return (
        np.concatenate((begins, len(ids) + np.cumsum(more) - more)),
        np.concatenate((lengths, more)),
        np.concatenate((ids, flat)),
    )


def _ids(arrays: Arrays, numbers: Numbers) -> Ids:
    """The token ids of words, one word after the other."""
    begins, lengths, ids = arrays
    if len(ids) == len(begins):  # one token a word, so far: token k is of word k
        return ids.take(numbers)
    begin, length = begins.take(numbers), lengths.take(numbers)
    before = np.cumsum(length) - length  # tokens of the words before
    return ids.take(np.repeat(begin - before, length) + np.arange(length.sum()))
