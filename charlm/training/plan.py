"""When a run validates and when it ends: by counted steps, or by the clock."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from ..config import TrainConfig
from .checkpoint import Progress

EARLY_VALIDATIONS = 4  # extra validations before the first regular one
VALIDATION_TIME_FRACTION = 0.05  # of a run's time that validations may take
MOST_VALIDATIONS, FEWEST_VALIDATIONS = 40, 3  # in a run by the clock, but for early ones
VALIDATION_COST = 1 / 3  # of a validation token in training tokens: no backward pass
RECENT_SECONDS, RECENT_STEPS = 3.0, 8  # the speed is that of the last so many, whichever is more


class Schedule(Protocol):
    """Told of every step and validation; says when to validate, and how many steps there are."""

    def stepped(self, progress: Progress, now: float) -> None:
        """A step has been made. May change `progress.steps`."""

    def validation_due(self, progress: Progress, now: float) -> bool: ...

    def validated(self, began: float, now: float) -> None: ...


def regular(config: TrainConfig, step: int) -> bool:
    """Every `eval_every` steps; more often at first, when most changes."""
    interval = config.eval_every // EARLY_VALIDATIONS
    early = interval > 9 and step in range(interval, config.eval_every - interval + 1, interval)
    return early or step % config.eval_every == 0


class StepPlan:
    """A fixed number of steps: the same settings give the same run."""

    def __init__(self, config: TrainConfig) -> None:
        self.config = config

    def stepped(self, progress: Progress, now: float) -> None:
        pass

    def validation_due(self, progress: Progress, now: float) -> bool:
        return regular(self.config, progress.step) or progress.step == progress.steps

    def validated(self, began: float, now: float) -> None:
        pass


class TimePlan:
    """As many steps as fit before a deadline, counted anew after every step.

    Speed and the cost of a validation are those measured last, so a run beside other work makes
    fewer steps but ends in time, and its schedule with it. All times in seconds, on the clock of
    time.monotonic.
    """

    def __init__(
        self,
        config: TrainConfig,
        began: float,
        deadline: float,
        validation_seconds: float,
        max_steps: int | None,
        *,
        regular: bool,
    ) -> None:
        """validation_seconds: what a validation takes, an estimate.

        regular: validate every `config.eval_every` steps, not by the clock. max_steps: never more
        steps, however much time is left.
        """
        self.config, self.regular, self.max_steps = config, regular, max_steps
        self.began, self.deadline = began, deadline
        self.validation_seconds = validation_seconds
        self.last = began
        self.recent: deque[float] = deque()  # seconds of each of the last steps
        self.next_validation = began + self._interval(began)

    def stepped(self, progress: Progress, now: float) -> None:
        self.recent.append(now - self.last)
        self.last = now
        while len(self.recent) > RECENT_STEPS and sum(self.recent) > RECENT_SECONDS:
            self.recent.popleft()
        seconds_per_step = max(1e-6, sum(self.recent) / len(self.recent))
        share = self.validation_seconds / (self.validation_seconds + self._interval(now))
        left = (self.deadline - now - self.validation_seconds) * (1 - share)
        steps = progress.step + max(0, round(left / seconds_per_step))
        progress.steps = steps if self.max_steps is None else min(steps, self.max_steps)

    def validation_due(self, progress: Progress, now: float) -> bool:
        if progress.step >= progress.steps:
            return True
        if self.regular:
            return regular(self.config, progress.step)
        return now >= self.next_validation and self.deadline - now > 2 * self.validation_seconds

    def validated(self, began: float, now: float) -> None:
        self.validation_seconds = now - began
        self.last = now
        self.next_validation = now + self._interval(now)

    def _interval(self, now: float) -> float:
        """Seconds to the next validation: short at first, when most changes."""
        total, elapsed = self.deadline - self.began, now - self.began
        affordable = self.validation_seconds * (1 / VALIDATION_TIME_FRACTION - 1)
        early = max(elapsed, EARLY_VALIDATIONS * self.validation_seconds)
        wanted = min(max(elapsed, total / 200) / 2, total / MOST_VALIDATIONS)
        return min(max(wanted, min(affordable, early)), total / FEWEST_VALIDATIONS)
