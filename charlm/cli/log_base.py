"""Bases of printed log-probabilities."""

from __future__ import annotations

import math
from enum import StrEnum


class LogBase(StrEnum):
    """The base of a logarithm."""

    e = "e"
    two = "2"
    ten = "10"

    @property
    def heading(self) -> str:
        return {"e": "log P", "2": "log₂ P", "10": "log₁₀ P"}[self.value]

    def of(self, nats: float) -> float:
        """A log-probability in nats, in this base."""
        return nats / {"e": 1.0, "2": math.log(2), "10": math.log(10)}[self.value]
