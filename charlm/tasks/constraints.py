"""Constraints on the lines that are sampled, and how they come to be asked about tokens.

A kind of constraint is a class with `may_grow` and `may_end`: `match_pattern`, `word_list`.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np

from ..errors import CharlmError
from ..lm import Ids
from ..text.pieces import utf8
from ..text.tokenizer import Tokenizer
from ..text.word_tokenizer import PAIRED
from .prompt import continuation, encode_prompt

SHOWN_CHARS = 40  # of a line, in messages
COMPLETIONS = 256  # of an incomplete character, tried at most, besides those that are named
_BYTE = re.compile("[\udc80-\udcff]")  # of no character, as tokenizers decode it


class Constraint(Protocol):
    """What lines may be written."""

    name: str  # of the setting, for messages
    named: frozenset[str]  # characters that it names, such as those of the words of a list

    def may_grow(self, before: str, line: str) -> bool:
        """Whether a line may have grown from `before`, which was allowed, to `line`."""
        ...

    def may_end(self, line: str) -> bool:
        """Whether a line may be `line` when it ends."""
        ...


class Constrained:
    """The tokens that constraints allow after a text.

    A line is what the reader sees of it: the prompt as it was given, then decoded tokens. Where a
    token leaves a character incomplete (byte models, bytes of subword models), some character that
    begins so must be allowed; where it ends a word (word models), something that may come next.
    """

    def __init__(
        self, constraints: Sequence[Constraint], tokenizer: Tokenizer, prompt: str = ""
    ) -> None:
        """Raises CharlmError if the prompt cannot be part of what the constraints allow."""
        self.constraints = constraints
        self.named = {char for one in constraints for char in one.named if not char.isascii()}
        self.tokenizer = tokenizer
        self.next_chars = _next_chars(tokenizer) if tokenizer.level == "word" else None
        self.unknown = [] if tokenizer.unk is None else [tokenizer.unk]  # a word like any other
        ids, self.spaced = encode_prompt(tokenizer, prompt)
        self.prompt_tokens = len(ids)
        self.begun = _open_line(prompt)
        for constraint in constraints:
            check_prompt(constraint, prompt)

    def after(self, text_T: Ids) -> Callable[[int], bool]:
        """A function that says whether a token may follow a text (prompt included)."""
        before = self.line(text_T)
        pending = _pending(before)

        def allowed(token: int) -> bool:
            if token == self.tokenizer.eos:
                return not pending and all(one.may_end(before) for one in self.constraints)
            text = np.append(text_T, token)
            line = self.line(text)
            if "\n" in line or not self._may_grow(before, line):
                return False
            if self.next_chars is None:
                return True
            after_word, anywhere, paired = self.next_chars
            if not self.line(np.append(text, self.unknown)).startswith(f"{line} "):
                return self._may_go_on(line, anywhere)
            quotes = [self.line(np.append(text, quote))[len(line)] for quote in paired]
            return self._may_go_on(line, [*after_word, *quotes])

        return allowed

    def dead_end(self, text_T: Ids) -> CharlmError:
        """The error for a text after which nothing is allowed."""
        names = " and ".join(f"`{one.name}`" for one in self.constraints)
        line = self.line(text_T)
        where = f"after {line[-SHOWN_CHARS:]!r}" if line else "at the beginning of a line"
        allow = "allows" if len(self.constraints) == 1 else "allow"
        return CharlmError(f"stuck {where}: the model has no token there that {names} {allow}")

    def line(self, text_T: Ids) -> str:
        """The last line of a text."""
        ends = np.flatnonzero(text_T == self.tokenizer.eos)
        begin = int(ends[-1]) + 1 if len(ends) else 0
        of_prompt = text_T[begin : self.prompt_tokens]
        if begin > self.prompt_tokens or not len(self.begun):
            return self.tokenizer.decode(text_T[begin:])
        new = continuation(self.tokenizer, of_prompt, text_T[self.prompt_tokens :])
        return self.begun + (new.removeprefix(" ") if self.spaced else new)

    def _may_grow(self, before: str, line: str) -> bool:
        pending = _pending(line)
        if pending is None:
            return False  # it will never be a character
        if not pending:
            return all(one.may_grow(before, line) for one in self.constraints)
        whole = line[: -len(pending)]
        return any(
            all(one.may_grow(whole, whole + char) for one in self.constraints)
            for char in _completions(pending, self.named)
        )

    def _may_go_on(self, line: str, chars: Iterable[str]) -> bool:
        """Whether a line may end, or go on with one of some characters."""
        if all(one.may_end(line) for one in self.constraints):
            return True
        return any(
            all(one.may_grow(line, line + char) for one in self.constraints) for char in chars
        )


def _open_line(prompt: str) -> str:
    """The line that a prompt leaves open."""
    return prompt.rpartition("\n")[2]


def check_prompt(constraint: Constraint, prompt: str, *, whole: bool = False) -> None:
    """Raise CharlmError if a prompt cannot be part of what a constraint allows.

    whole: its last word will not grow.
    """
    begun = _open_line(prompt)
    if not constraint.may_grow("", begun) or (whole and not constraint.may_end(begun)):
        raise CharlmError(f"`prompt` begins nothing that `{constraint.name}` allows: {begun!r}")


def _next_chars(tokenizer: Tokenizer) -> tuple[list[str], list[str], list[int]]:
    """Of a word model: the characters that may follow a token where a space parts it from a word.

    That is a space, or punctuation. And those that may follow it elsewhere, such as after an
    opening bracket: the first characters of all words. And the tokens that are quotes: whether they
    open or close depends on the line.
    """
    unk = tokenizer.unk
    assert unk is not None
    word = tokenizer.decode([unk])  # like any other
    tokens = [id for id in range(tokenizer.vocab_size) if id != tokenizer.eos]
    paired = [id for id in tokens if PAIRED.fullmatch(tokenizer.token(id))]
    joined = (tokenizer.decode([unk, id])[len(word) :] for id in tokens if id not in paired)
    after_word = sorted({text[0] for text in joined if text})
    return after_word, sorted({tokenizer.token(id)[0] for id in tokens}), paired


def _pending(line: str) -> str | None:
    """The end of a line that is not a whole character yet; None if it can never be one."""
    bytes_ = _BYTE.search(line)
    if bytes_ is None:
        return ""
    end = line[bytes_.start() :]
    try:
        complete = codecs.getincrementaldecoder("utf-8")().decode(utf8(end))
    except UnicodeDecodeError:
        return None
    return None if complete else end


def _completions(pending: str, named: Iterable[str]) -> Iterator[str]:
    """Characters whose UTF-8 begins so: those of `named`, and COMPLETIONS evenly among all.

    Those that are a byte short are all given, and those of a pending character are again among
    those of a longer one, so what is found possible stays possible.
    """
    first, *others = utf8(pending)
    length = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    begin = first & (0x7F >> length)
    for byte in others:
        begin = begin << 6 | byte & 0x3F
    missing = 6 * (length - len(pending))
    least = {2: 0x80, 3: 0x800, 4: 0x10000}[length]  # what is less is not written so
    points = range(begin << missing, (begin + 1) << missing)
    yield from (char for char in named if ord(char) in points and ord(char) >= least)
    for point in points[:: max(1, len(points) // COMPLETIONS)]:
        if least <= point < 0x110000 and not 0xD800 <= point < 0xE000:
            yield chr(point)
