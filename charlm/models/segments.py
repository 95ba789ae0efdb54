"""Split one long text into segments read in parallel, each after some warm-up context.

The result differs from reading the text from start to end only in what a model would remember from
before the warm-up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..lm import Ids, Mask

MAX_SEGMENTS = 32  # read in parallel
WARM_UP_TOKENS = 128  # of context before each segment


@dataclass(frozen=True)
class Segments:
    """B segments of a text `ids` (N,); a text too short for two is one, without context."""

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
        """Tokens `begin` … `end` − 1 of every segment, (B, end − begin); context is < 0."""
        position_BT = self.positions(begin, end)
        inside = self._inside(position_BT)
        return np.where(inside, self.ids[position_BT.clip(0, len(self.ids) - 1)], self.eos)

    def scored(self, begin: int, end: int) -> Mask:
        """Which of `tokens(begin, end)` are text to score, not context, (B, end − begin)."""
        return np.asarray(self._inside(self.positions(begin, end)) & (np.arange(begin, end) >= 0))

    def positions(self, begin: int, end: int) -> Ids:
        """Where in the text those tokens are, (B, end − begin); context is < 0."""
        return np.asarray(np.arange(self.rows)[:, None] * self.length + np.arange(begin, end))

    def _inside(self, position_BT: Ids) -> Mask:
        return np.asarray((position_BT >= 0) & (position_BT < len(self.ids)))
