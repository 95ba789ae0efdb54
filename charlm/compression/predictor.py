"""What each of several texts, read side by side, goes on with: a model and its states.

The rows are computed in groups. Groups change how much memory it takes, never a bit of the result.
"""

from __future__ import annotations

import numpy as np

from ..lm import Ids
from .portable import Portable, Scores, State

BATCH = 512  # rows at a time; more are no faster


class Predictor:
    """A portable model that reads `rows` texts side by side, from the beginning of a line."""

    def __init__(self, lm: Portable, rows: int, batch: int = BATCH) -> None:
        """batch: rows computed at a time."""
        self.lm = lm
        self.groups = [slice(at, min(at + batch, rows)) for at in range(0, rows, batch)]
        self.states: list[State] = [lm.start(one.stop - one.start) for one in self.groups]

    def scores(self) -> Scores:
        """log P of the next token of each text, up to a constant: (rows, V)."""
        return np.concatenate([self.lm.scores(state) for state in self.states])

    def advance(self, ids_B: Ids) -> None:
        """Read one more token of each text."""
        groups = zip(self.states, self.groups, strict=True)
        self.states = [self.lm.advance(state, ids_B[one]) for state, one in groups]
