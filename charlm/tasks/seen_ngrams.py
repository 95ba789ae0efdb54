"""Tokens that would make a sample repeat itself, or copy a text.

Both are one rule: of a given text no more than N tokens in a row may be written again, so whatever
follows the last N tokens anywhere in that text is forbidden. The text is the sample's own so far
(Hugging Face's `no_repeat_ngram_size` is N + 1), or the one that the model was trained on. Lines
make no difference: an n-gram may span <EOS>.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..errors import require
from ..lm import Ids

MAX_TEXT_TOKENS = 1 << 32  # that an index has room for
MAX_N = 1000  # tokens in a row that may be copied: each is a pass over the text
_PLACE = np.uint64(32)  # bits of a key that say where
_TOKEN, _STEP = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1342543DE82EF95)  # any odd numbers


class Guard(Protocol):
    """Forbids some of the tokens that could come next."""

    def forbidden(self, texts_BT: Ids) -> list[Ids]:
        """The tokens that may not follow each of B texts of T tokens."""
        ...


class NoRepeat:
    """Of the text itself, no more than N tokens in a row again."""

    def __init__(self, n: int) -> None:
        """Raises CharlmError unless n ≥ 1."""
        require(n >= 1, f"`no_repeat` must be 0 (no limit) or positive, not {n}")
        self.n = n

    def forbidden(self, texts_BT: Ids) -> list[Ids]:
        """The tokens that have followed the last N of each text earlier in it."""
        n, T = self.n, texts_BT.shape[1]
        if n >= T:
            return [_NONE] * len(texts_BT)
        recurs_BT = texts_BT[:, n - 1 : -1] == texts_BT[:, -1:]
        return [
            continuations(text, np.flatnonzero(recurs), text[-n:])
            for text, recurs in zip(texts_BT, recurs_BT, strict=True)
        ]


class NoCopy:
    """Of a text (T,), no more than N tokens in a row.

    All places in it are sorted by a 32-bit hash of the N tokens that begin there, eight bytes for
    each; what the hash finds is compared token by token, so the answer is exact.
    """

    def __init__(self, n: int, text_T: Ids) -> None:
        """Raises CharlmError for n out of range, and for a text of more than MAX_TEXT_TOKENS."""
        require(1 <= n <= MAX_N, f"`no_copy` must be from 0 (no limit) to {MAX_N:,}, not {n}")
        require(len(text_T) <= MAX_TEXT_TOKENS, "the text is too long for `no_copy`")
        self.n, self.text = n, text_T
        places = np.arange(max(0, len(text_T) - n), dtype=np.uint64)  # with a token after the N
        self.keys = _hashes(text_T, n)[: len(places)] << _PLACE
        self.keys |= places
        self.keys.sort()

    def forbidden(self, texts_BT: Ids) -> list[Ids]:
        """The tokens that follow the last N of each text somewhere in the text guarded."""
        n = self.n
        if texts_BT.shape[1] < n:
            return [_NONE] * len(texts_BT)
        last_BN = texts_BT[:, -n:]
        keys = _hashes(last_BN, n)[:, 0] << _PLACE
        begin = np.searchsorted(self.keys, keys)
        end = np.searchsorted(self.keys, keys | np.uint64(MAX_TEXT_TOKENS - 1), side="right")
        return [
            continuations(self.text, (self.keys[i:j] & _LOW).astype(np.intp), last) if j > i
            else _NONE
            for i, j, last in zip(begin, end, last_BN, strict=True)
        ]  # fmt: skip


def continuations(text_T: Ids, begins_N: npt.NDArray[np.intp], context: Ids) -> Ids:
    """The distinct tokens that follow `context` in a text, of the places where it may begin."""
    for offset, token in reversed(list(enumerate(context))):
        begins_N = begins_N[text_T[begins_N + offset] == token]
    return np.unique(text_T[begins_N + len(context)])


_NONE: Ids = np.zeros(0, np.int64)
_LOW = np.uint64(MAX_TEXT_TOKENS - 1)


def _hashes(ids: Ids, n: int) -> npt.NDArray[np.uint64]:
    """(…, T − n + 1) a 32-bit hash of every n tokens in a row."""
    count = max(0, ids.shape[-1] - n + 1)
    tokens: npt.NDArray[Any] = (ids.astype(np.uint64) + np.uint64(1)) * _TOKEN
    mixed = np.zeros((*ids.shape[:-1], count), np.uint64)
    for offset in range(n if count else 0):
        mixed *= _STEP
        mixed += tokens[..., offset : offset + count]
    return mixed >> _PLACE
