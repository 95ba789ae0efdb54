"""Stream a text while it is being sampled, without ever emitting what may still change."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..lm import Ids
from ..text.tokenizer import Tokenizer

UNSTABLE_CHARS = 3  # characters at the end of a text that the next byte may still change
MAX_LINE_TOKENS = 256  # of a line; beyond this its beginning is dropped


class StreamWriter:
    """Emits the text of a growing sequence piece by piece, never a piece that may change.

    A character of several bytes is withheld until it is complete. A single quote between words
    is withheld to the end of its line, as only then is it clear whether it opens or closes.
    """

    def __init__(
        self, tokenizer: Tokenizer, prompt_ids: Ids, on_text: Callable[[str], None], spaced: bool
    ) -> None:
        self.tokenizer = tokenizer
        self.on_text = on_text
        self.spaced = spaced  # whether the space before the first word has been shown already
        ends = np.flatnonzero(prompt_ids == tokenizer.eos)
        self.line = prompt_ids[ends[-1] + 1 if len(ends) else 0 :].tolist()  # tokens of this line
        self.shown = len(tokenizer.decode(self.line))  # characters of this line emitted
        self.sent = 0  # characters emitted in all
        self.closed = False  # whether the line has ended
        quotes = tokenizer.encode("'").tolist() if tokenizer.level == "word" else []
        self.ambiguous = {token for token in quotes if token != tokenizer.unk}
        self.silent = not self.ambiguous.isdisjoint(self.line)

    def add(self, token: int) -> None:
        """Add a token; emit the text that is now final."""
        if self.silent:
            return
        if self.closed:
            self._emit("\n")
            self.line, self.shown = [], 0
        self.closed = token == self.tokenizer.eos
        if not self.closed:
            self.line.append(token)
            if not self.ambiguous.isdisjoint(self.line):
                return
        text = self.tokenizer.decode(self.line)
        stable = len(text)
        while (
            not self.closed and stable > len(text) - UNSTABLE_CHARS and _may_change(text[:stable])
        ):
            stable -= 1
        self._emit(text[self.shown : stable])
        self.shown = max(self.shown, stable)
        if len(self.line) > MAX_LINE_TOKENS and self.shown == len(text) and self.tokenizer.lossless:
            self.line = self.line[
                -MAX_LINE_TOKENS // 8 :
            ]  # decoding all of it for every token would be slow
            self.shown = len(self.tokenizer.decode(self.line))

    def close(self, text: str) -> None:
        """The sequence has ended, and its text is `text`: emit the rest of it."""
        self._emit(text[self.sent :])

    def _emit(self, piece: str) -> None:
        if piece and self.spaced:
            piece, self.spaced = piece.removeprefix(" "), False
        if piece:
            self.on_text(piece)
            self.sent += len(piece)


def _may_change(text: str) -> bool:
    """Whether the text ends in a placeholder for an incomplete character."""
    return text[-1:] == "\ufffd" or "\udc80" <= text[-1:] <= "\udcff"
