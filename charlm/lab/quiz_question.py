"""A question of the quiz: curves called A, B, C, one of which is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from string import ascii_uppercase
from typing import Any

import numpy as np

ALIKE_BELOW = 0.1  # of the range: curves that are nowhere farther apart look the same


@dataclass(frozen=True)
class Curve:
    """One curve, what it is, and how one can tell."""

    name: str  # goes with "the"
    values: tuple[float, ...]
    why: str


@dataclass(frozen=True)
class Question:
    """Curves in the order of their letters."""

    kind: str
    shows: str
    across: str  # what the horizontal axis is
    ticks: Mapping[int, str]  # by place in the curves
    curves: tuple[Curve, ...]
    more: str  # a command that shows more
    y_range: tuple[float, float] | None = None  # None: every curve has its own, see `range_of`
    log_y: bool = False
    asked: int = 0  # the place of the curve that is asked for

    @property
    def letters(self) -> str:
        """The choices."""
        return ascii_uppercase[: len(self.curves)]

    @property
    def answer(self) -> str:
        """The letter of the right one."""
        return self.letters[self.asked]

    @property
    def right(self) -> Curve:
        """The curve that is asked for."""
        return self.curves[self.asked]

    def range_of(self, curve: Curve) -> tuple[float, float]:
        """The vertical axis: `y_range`, or from −n to n, the smallest whole n that is enough."""
        if self.y_range is not None:
            return self.y_range
        n = max(1.0, float(np.ceil(np.abs(curve.values).max())))
        return -n, n

    def heights(self, curve: Curve) -> list[float]:
        """The curve as parts of its range: −1 to 1 where that is on both sides of 0, else 0 to 1.

        What is outside the range is at its edge.
        """
        low, high = self.range_of(curve)
        values = np.clip(curve.values, low, high)
        parts = np.log(values / low) / np.log(high / low) if self.log_y else values / high
        return [float(part) for part in parts]

    def is_clear(self) -> bool:
        """Whether the curve that is asked for looks different from every other one."""
        asked = np.array(self.heights(self.right))
        others = [curve for k, curve in enumerate(self.curves) if k != self.asked]
        return all(np.abs(asked - self.heights(one)).max() >= ALIKE_BELOW for one in others)

    def shuffled(self, rng: np.random.Generator) -> Question:
        """The same question with its curves in another order."""
        order = rng.permutation(len(self.curves)).tolist()
        curves = tuple(self.curves[k] for k in order)
        return replace(self, curves=curves, asked=order.index(self.asked))

    def as_dict(self) -> dict[str, Any]:
        lettered = zip(self.letters, self.curves, strict=True)
        return {
            "kind": self.kind,
            "shows": self.shows,
            "across": self.across,
            "log": self.log_y,
            "curves": [
                {"letter": letter, "name": curve.name, "values": curve.values}
                for letter, curve in lettered
            ],
            "asked": self.right.name,
            "choices": list(self.letters),
            "answer": self.answer,
            "why": self.right.why,
            "more": self.more,
        }
