"""What each of several texts, read side by side, goes on with: a model and its states.

The rows are computed in groups, several at once on a machine with several cores. Groups change how
long it takes and how much memory, never a bit of the result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np

from ..lm import Ids
from ..system import machine
from .portable import Portable, Scores, State

T = TypeVar("T")
MIN_ROWS = 16  # worth a group of their own


class Predictor:
    """A portable model that reads `rows` texts side by side, from the beginning of a line."""

    def __init__(self, lm: Portable, rows: int, batch: int = 0) -> None:
        """batch: rows computed at a time; 0: as many as spread them over the cores."""
        size = batch or max(MIN_ROWS, -(-rows // machine.cores()))
        self.lm = lm
        self.groups = [slice(at, min(at + size, rows)) for at in range(0, rows, size)]
        self.states: list[State] = [lm.start(one.stop - one.start) for one in self.groups]
        workers = min(len(self.groups), machine.cores())
        self.pool = ThreadPoolExecutor(workers) if workers > 1 else None

    def scores(self) -> Scores:
        """log P of the next token of each text, up to a constant: (rows, V)."""
        return np.concatenate(self._each(self.lm.scores, [(state,) for state in self.states]))

    def advance(self, ids_B: Ids) -> None:
        """Read one more token of each text."""
        ids = [ids_B[one] for one in self.groups]
        self.states = self._each(self.lm.advance, list(zip(self.states, ids, strict=True)))

    def close(self) -> None:
        """Let the threads go."""
        if self.pool is not None:
            self.pool.shutdown()

    def _each(self, work: Callable[..., T], arguments: Sequence[tuple[Any, ...]]) -> list[T]:
        if self.pool is None:
            return [work(*one) for one in arguments]
        return list(self.pool.map(lambda one: work(*one), arguments))
