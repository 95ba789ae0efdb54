"""Training speed."""

from __future__ import annotations

import time


class Speedometer:
    """Tokens per second, recent and overall, validations included."""

    def __init__(self, tokens_per_step: int) -> None:
        self.tokens = tokens_per_step
        self.times: list[float] = [time.monotonic()]
        self.first, self.count = self.times[0], 0

    def tick(self, now: float, steps_left: int) -> tuple[float, float]:
        """Record a step; return recent tokens per second, and seconds left at that speed."""
        self.times = [*self.times[-50:], now]
        self.count += 1
        per_step = max(1e-9, (now - self.times[0]) / (len(self.times) - 1))
        return self.tokens / per_step, per_step * steps_left

    def overall(self) -> float:
        return self.tokens * self.count / max(1e-9, self.times[-1] - self.first)
