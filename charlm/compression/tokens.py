"""A text as token ids, and whatever the ids do not tell: nothing is ever lost.

What is not in the ids is the *side*: bytes that are compressed on their own. It holds, at each
level,

- char: the characters that are <UNK>;
- word: the words that are <UNK> or written otherwise than in the vocabulary, and what stands
  between two words where that is not as it was the last time that these two met;
- byte, subword: nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import TypeVar

import numpy as np

from ..errors import CharlmError
from ..lm import Ids
from ..text.tokenizer import Tokenizer
from ..text.word_tokenizer import WordTokenizer

T = TypeVar("T")


def split(tokenizer: Tokenizer, text: str) -> tuple[Ids, bytes] | None:
    """The ids (N,) of a text and its side; None for a text that they would not give back."""
    try:
        if isinstance(tokenizer, WordTokenizer):
            ids, parts = _split_words(tokenizer, text)
        else:
            ids, parts = tokenizer.encode(text).astype(np.int64), list(tokenizer.unknown(text))
        side = _pack(parts)
        return (ids, side) if join(tokenizer, ids, side) == text else None
    except (CharlmError, ValueError):  # in lower case, a few characters become two
        return None


def join(tokenizer: Tokenizer, ids_N: Ids, side: bytes) -> str:
    """The text again. Raises CharlmError for ids and a side that do not belong together."""
    parts = iter(_unpack(side))
    if isinstance(tokenizer, WordTokenizer):
        return "".join(_join_words(tokenizer, ids_N, parts))
    if tokenizer.unk is None or not len(places := np.flatnonzero(ids_N == tokenizer.unk)):
        return tokenizer.decode(ids_N)
    found, done = [], 0
    for place in places.tolist():
        found += [tokenizer.decode(ids_N[done:place]), _next(parts)]
        done = place + 1
    return "".join([*found, tokenizer.decode(ids_N[done:])])


# Words ----------------------------------------------------------------------------------------


def _split_words(tokenizer: WordTokenizer, text: str) -> tuple[Ids, list[str]]:
    assert tokenizer.unk is not None
    ids, gaps = [], _Gaps()
    literals: list[str] = []
    misses: list[str] = []  # how many gaps were as expected, and one that was not, by turns
    expected = place = 0
    written = tokenizer.written(text)
    for word, id in zip(written, _ids(tokenizer, text, written), strict=True):
        begin = text.find(word, place)
        gap, place = text[place:begin], begin + len(word)
        if id == tokenizer.unk or (id != tokenizer.eos and tokenizer.token(id) != word):
            id = tokenizer.unk
            literals.append(word)
        ids.append(id)
        if gaps.next(word) == gap:
            expected += 1
        else:
            misses += [str(expected), gap]
            expected = 0
        gaps.learn(gap)
    misses += [str(expected), text[place:]]
    return np.array(ids, np.int64), [str(len(misses)), *misses, *literals]


def _ids(tokenizer: WordTokenizer, text: str, written: Sequence[str]) -> Sequence[int]:
    """The id of each written word; <UNK> for one that is several words in lower case."""
    ids: list[int] = tokenizer.encode(text).tolist()
    if len(ids) == len(written):
        return ids
    assert tokenizer.unk is not None
    alone = {word: tokenizer.encode(word).tolist() for word in set(written)}
    return [alone[word][0] if len(alone[word]) == 1 else tokenizer.unk for word in written]


def _join_words(tokenizer: WordTokenizer, ids_N: Ids, parts: Iterator[str]) -> Iterator[str]:
    gaps = _Gaps()
    misses = [_next(parts) for _ in range(_number(_next(parts)))]
    counts, found = map(_number, misses[::2]), iter(misses[1::2])
    expected = _next(counts)
    for id in ids_N.tolist():
        word = "\n" if id == tokenizer.eos else tokenizer.token(id)
        word = _next(parts) if id == tokenizer.unk else word
        gap = gaps.next(word)
        if expected:
            expected -= 1
        else:
            gap, expected = _next(found), _next(counts)
        gaps.learn(gap)
        yield gap + word
    yield _next(found)


class _Gaps:
    """What stands between words: as the last time between these two, or before the second."""

    def __init__(self) -> None:
        self.between: dict[tuple[str, str], str] = {}
        self.before: dict[str, str] = {}
        self.last, self.word = "\n", ""

    def next(self, word: str) -> str:
        """What is expected between the last word and this one."""
        self.word, pair = word, (self.last, word)
        if "\n" in pair:
            return self.between.get(pair, "")
        return self.between.get(pair, self.before.get(word, " "))

    def learn(self, gap: str) -> None:
        """That it was this; the word is the last one now."""
        if self.last != "\n":
            self.before[self.word] = gap
        self.between[self.last, self.word] = gap
        self.last = self.word


def _next(parts: Iterator[T]) -> T:
    """The next part. Raises CharlmError if there is none."""
    for part in parts:
        return part
    raise CharlmError("the tokens call for more spellings than there are")


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise CharlmError("the spellings are not those of the tokens") from None


# Strings as bytes -----------------------------------------------------------------------------


def _pack(parts: Sequence[str]) -> bytes:
    """Strings as bytes: how long each is, and then all of them."""
    if not parts:
        return b""
    lengths = ",".join(str(len(part)) for part in parts)
    return f"{lengths}\n{''.join(parts)}".encode("utf-8", "surrogatepass")


def _unpack(side: bytes) -> list[str]:
    try:
        lengths, _, text = side.decode("utf-8", "surrogatepass").partition("\n")
        ends = list(accumulate(map(int, lengths.split(",")))) if side else []
    except ValueError:
        raise CharlmError("the spellings are not text") from None
    return [text[begin:end] for begin, end in pairwise([0, *ends])]
