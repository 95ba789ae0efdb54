"""One long text read in segments side by side, each after some context that does not count.

What a model remembers from further back than the context is all that differs from reading the text
from start to end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..lm import Ids, Mask

MAX_SEGMENTS = 32  # read side by side
WARM_UP_TOKENS = 128  # of context before each


@dataclass(frozen=True)
class Segments:
    """B segments of a text `ids` (N,); a text too short for two of them is one, without context."""

    ids: Ids
    eos: int  # stands before the text's beginning and after its end

    @property
    def rows(self) -> int:
        """B."""
        return max(1, min(MAX_SEGMENTS, len(self.ids) // (2 * WARM_UP_TOKENS)))

    @property
    def length(self) -> int:
        """Tokens of a segment; the last one may be shorter."""
        return -(-len(self.ids) // self.rows)

    @property
    def warm_up(self) -> int:
        """Tokens of context before each segment."""
        return WARM_UP_TOKENS if self.rows > 1 else 0

    def tokens(self, begin: int, end: int) -> Ids:
        """Tokens `begin` … `end` − 1 of every segment, (B, end − begin); context is negative."""
        place_BT = self._places(begin, end)
        inside = self._inside(place_BT)
        return np.where(inside, self.ids[place_BT.clip(0, len(self.ids) - 1)], self.eos)

    def counted(self, begin: int, end: int) -> Mask:
        """Which of `tokens(begin, end)` count, being text and not context, (B, end − begin)."""
        return np.asarray(self._inside(self._places(begin, end)) & (np.arange(begin, end) >= 0))

    def _places(self, begin: int, end: int) -> Ids:
        return np.asarray(np.arange(self.rows)[:, None] * self.length + np.arange(begin, end))

    def _inside(self, place_BT: Ids) -> Mask:
        return np.asarray((place_BT >= 0) & (place_BT < len(self.ids)))
