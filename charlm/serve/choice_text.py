"""The text of one choice of a completion, as it grows; a stop string ends it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..display.readable import valid_unicode
from ..lm import Ids
from ..tasks.prompt import continuation
from ..tasks.stream_writer import StreamWriter
from ..text.tokenizer import Tokenizer


class ChoiceText:
    """What has been written after a prompt: pieces that will not change any more.

    Nothing is given away that may turn out to be the beginning of a stop string.
    """

    def __init__(
        self, tokenizer: Tokenizer, prompt_ids: Ids, stops: Sequence[str], *, spaced: bool
    ) -> None:
        """spaced: the prompt ends in a space that belongs to the first word."""
        self.tokenizer, self.prompt_ids, self.spaced = tokenizer, prompt_ids, spaced
        self.stops = [stop for stop in stops if stop]
        self.ids: list[int] = []
        self.text = ""  # final, without a stop string
        self.given = 0  # characters of it
        self.stopped = False
        self._writer = StreamWriter(tokenizer, prompt_ids, self._add, spaced)

    def add(self, id: int) -> bool:
        """Add a token. Returns whether no stop string has come."""
        self.ids.append(id)
        self._writer.add(id)
        return not self.stopped

    def close(self, *, ended: bool) -> None:
        """The last token has come; ended: it is an <EOS> that closes the text."""
        if not self.stopped:
            ids = np.array(self.ids[:-1] if ended else self.ids, np.int64)
            whole = continuation(self.tokenizer, self.prompt_ids, ids)
            self._writer.close(whole.removeprefix(" ") if self.spaced else whole)
        self.stops = []

    def take(self) -> str:
        """What is final and has not been taken yet. May be called in another thread than `add`."""
        text = self.text
        end = len(text) - (0 if self.stopped else self._held_back(text))
        piece, self.given = text[self.given : end], max(self.given, end)
        return piece

    def _add(self, piece: str) -> None:
        if self.stopped:
            return
        longest = max(map(len, self.stops), default=0)
        begin = max(0, len(self.text) - longest + 1)
        text = self.text + valid_unicode(piece)
        found = [place for stop in self.stops if (place := text.find(stop, begin)) >= 0]
        self.text = text[: min(found)] if found else text  # at once: it may be taken meanwhile
        self.stopped = bool(found)

    def _held_back(self, text: str) -> int:
        """How many characters at the end of a text may be the beginning of a stop string."""
        for length in range(max(map(len, self.stops), default=1) - 1, 0, -1):
            end = text[-length:]
            if len(end) == length and any(stop.startswith(end) for stop in self.stops):
                return length
        return 0
