"""Helpers shared by tokenizers: chunks cut between words, a memo of words, UTF-8, id dtypes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import numpy.typing as npt

from ..config import TokenizerConfig
from ..errors import CharlmError

WORD_LIMIT = 1 << 18  # characters: a longer word is split rather than held in memory
JOINED_CHARS = 1 << 19  # looked up at a time: less takes longer for each, more takes more memory
MEMO_WORDS, MEMO_CHARS = 1 << 18, 40  # how many words a Memo holds, and the longest of them


def whole_words(chunks: Iterable[str], limit: int = WORD_LIMIT) -> Iterator[str]:
    """Rechunk a text so that no word is split, in bounded memory.

    Chunks end with a line or, in lines longer than `limit` characters, at a single space, which
    is dropped. A word longer than `limit` characters is split nonetheless.
    """
    rest = ""
    for chunk in chunks:
        rest += chunk
        if end := rest.rfind("\n") + 1:
            yield rest[:end]
            rest = rest[end:]
        while len(rest) > limit:
            space = rest.rfind(" ", 1, limit)
            end = limit if space < 0 else space
            yield rest[:end]
            rest = rest[end if space < 0 else space + 1 :]
    if rest:
        yield rest


def joined(pieces: Iterable[str]) -> Iterator[str]:
    """Pieces as `whole_words` gives them, whole lines joined up to about JOINED_CHARS."""
    held: list[str] = []
    chars = 0
    for piece in pieces:
        held.append(piece)
        chars += len(piece)
        if piece[-1:] != "\n" or chars >= JOINED_CHARS:
            yield "".join(held)
            held, chars = [], 0
    if held:
        yield "".join(held)


class Memo(dict[str, tuple[int, ...]]):
    """Word → its token ids, computed once for each distinct short word; bounded in size."""

    def __init__(self, segment: Callable[[str], Iterable[int]]):
        super().__init__()
        self._segment = segment

    def __missing__(self, word: str) -> tuple[int, ...]:
        ids = tuple(self._segment(word))
        if len(word) <= MEMO_CHARS:
            if len(self) >= MEMO_WORDS:
                self.clear()
            self[word] = ids
        return ids


def utf8(text: str) -> bytes:
    """UTF-8 bytes of any string: U+DC80…U+DCFF give back the bytes they stand for (PEP 383).

    Other lone surrogates, which no file can produce, become U+FFFD.
    """
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        lone = "".join("\ufffd" if "\ud800" <= c < "\udc80" or "\udcff" < c <= "\udfff" else c
                       for c in text)  # fmt: skip
        return lone.encode("utf-8", "surrogateescape")


def smallest_unsigned(size: int) -> npt.DTypeLike:
    """The narrowest of uint8, uint16 and uint32 that holds the ids 0 … size - 1."""
    return np.uint8 if size <= 1 << 8 else np.uint16 if size <= 1 << 16 else np.uint32


def check_vocab_size(config: TokenizerConfig) -> None:
    """Raise CharlmError for a vocabulary too small for <EOS>, <UNK> and one other token."""
    if 0 < config.vocab_size < 3:
        raise CharlmError("`vocab_size` must be at least 3, since it includes <EOS> and <UNK>.")
