"""The constraint that every word is one of a list."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain

import numpy as np

from ..errors import require
from ..lm import Ids
from ..text.tokenizer import Tokenizer
from ..text.word_tokenizer import split_word

MEMO_SIZE = 1 << 16  # pieces of text whose words have been looked up


class WordList:
    """Every word is one of a list; an entry in lower case also allows capitals.

    Words are what whitespace and punctuation separate, as `split="unicode"` has it: "don't" and
    "so-so" are words, "don't." is one and a full stop, and every Chinese or Japanese character is
    one. What has no letter or digit in it is free.
    """

    name = "words"

    def __init__(self, entries: Iterable[str]) -> None:
        """`entries`: words, or any text, whose words are meant. Raises CharlmError for none."""
        self.words = {word for entry in entries for word in words_in(entry)}
        require(bool(self.words), "`words` has no words in it")
        self._sorted = sorted(self.words)
        self.named = frozenset(chain.from_iterable(self.words))
        self.has = lru_cache(MEMO_SIZE)(self._has)

    def _has(self, text: str) -> bool:
        """Whether all the words of a text are on the list."""
        return all(word in self.words or word.lower() in self.words for word in words_in(text))

    def may_grow(self, before: str, line: str) -> bool:
        """Whether the words that are new in a line are on the list, or the last may become one."""
        begin = len(before) if line.startswith(before) else 0
        while begin and not line[begin - 1].isspace():
            begin -= 1
        chunks = line[begin:].split()
        last = "" if not chunks or line[-1].isspace() else chunks.pop()
        return all(map(self.has, chunks)) and (self.has(last) or self._begins(last))

    def may_end(self, line: str) -> bool:
        """Whether the last words of a line are on the list."""
        return line[-1:].isspace() or not line or self.has(line.split()[-1])

    def _begins(self, chunk: str) -> bool:
        """Whether the end of a chunk, from one of its parts on, begins a word of the list."""
        start = 0
        for part in split_word(chunk):
            start = chunk.index(part, start)
            rest = chunk[start:]
            if (self._prefixes(rest) or self._prefixes(rest.lower())) and self.has(chunk[:start]):
                return True
            start += len(part)
        return False

    def _prefixes(self, text: str) -> bool:
        place = bisect_left(self._sorted, text)
        return place < len(self._sorted) and self._sorted[place].startswith(text)


def words_in(text: str) -> list[str]:
    """The words of a text, without punctuation."""
    parts = (part for chunk in text.split() for part in split_word(chunk))
    return [part for part in parts if any(map(str.isalnum, part))]


def known_words(tokenizer: Tokenizer, entries: Iterable[str]) -> tuple[WordList, int]:
    """The words among `entries` that a model can write, and the number of those that it cannot.

    Raises CharlmError if it can write none.
    """
    lower = tokenizer.as_dict().get("lower", False)
    listed = WordList(entry.lower() if lower else entry for entry in entries)
    unk, words = tokenizer.unk, listed.words
    if unk is None:
        return listed, 0
    if tokenizer.level == "word":
        ids = (id for id in range(tokenizer.vocab_size) if id not in (unk, tokenizer.eos))
        used = set(chain.from_iterable(map(words_in, map(tokenizer.token, ids))))
        known = {form for word in used for form in (word, word.lower())} & words
    else:
        known = {word for word in words if _can_write(tokenizer, word)}
    require(bool(known), "the model knows none of the `words`")
    return WordList(known), len(words) - len(known)


def _can_write(tokenizer: Tokenizer, word: str) -> bool:
    """Whether a model knows all the characters of a word, or of the same in capitals."""
    forms = (word, word.upper(), word.title()) if word.islower() else (word,)
    return any(tokenizer.unk not in tokenizer.encode(form) for form in forms)


def unlisted(tokenizer: Tokenizer, listed: WordList) -> Ids:
    """The tokens of a word model with words in them that are not on a list."""
    tokens = range(tokenizer.vocab_size)
    others = [id for id in tokens if id != tokenizer.eos and not listed.has(tokenizer.token(id))]
    return np.array(others, np.int64)
