"""When a run validates and when it ends: by counted steps, or by the clock."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from ..config import TrainConfig
from .checkpoint import Progress

EARLY_VALIDATIONS = 4  # extra validations before the first regular one
VALIDATION_TIME_FRACTION = 0.05  # of a run's time that validations may take
VALIDATION_COST = 1 / 3  # of a validation token in training tokens: no backward pass
MAX_VALIDATIONS, MIN_VALIDATIONS = 40, 3  # in a run by the clock, but for early ones
RECENT_SECONDS, RECENT_STEPS = 3.0, 8  # the speed is that of the last so many, whichever is more
SHORTEST = 1e-3  # seconds: of a run that begins at its deadline, or later

# A run that overfits: so many validations, steps and passes over the text, and so large a part of
# the steps to the best one, without improvement. It is annealed over the last part, and ends.
STALLED_VALIDATIONS, STALLED_STEPS, STALLED_EPOCHS, STALLED_FRACTION = 3, 100, 2, 0.3
ANNEALING_FRACTION = 0.3  # of the steps made so far


class Planner(Protocol):
    """Told of every step and validation; says when to validate, and how many steps there are."""

    def started(self, now: float, steps_per_epoch: int) -> None: ...

    def stepped(self, progress: Progress, now: float) -> None:
        """A step has been made. May change `progress.steps`."""

    def validation_due(self, progress: Progress, now: float) -> bool: ...

    def validated(self, progress: Progress, began: float, now: float) -> None:
        """A validation has been made, from `began` to `now`."""


def is_regular(config: TrainConfig, step: int) -> bool:
    """Every `eval_every` steps; more often at first, when most changes."""
    interval = config.eval_every // EARLY_VALIDATIONS
    early = interval > 9 and step in range(interval, config.eval_every - interval + 1, interval)
    return early or step % config.eval_every == 0


class StepPlanner:
    """A fixed number of steps: the same settings give the same run."""

    def __init__(self, config: TrainConfig) -> None:
        self.config = config

    def started(self, now: float, steps_per_epoch: int) -> None:
        pass

    def stepped(self, progress: Progress, now: float) -> None:
        pass

    def validation_due(self, progress: Progress, now: float) -> bool:
        return is_regular(self.config, progress.step) or progress.step == progress.steps

    def validated(self, progress: Progress, began: float, now: float) -> None:
        pass


class TimePlanner:
    """As many steps as fit before a deadline, counted anew after every step.

    Speed and the cost of a validation are those measured last, so a run beside other work makes
    fewer steps but ends in time, and its schedule with it. All times in seconds, on the clock of
    time.monotonic.

    When the network no longer gets better on the validation text, its schedule is brought to its
    end.
    """

    def __init__(
        self,
        config: TrainConfig,
        deadline: float,
        seconds_per_step: float,
        valid_tokens: int,
        *,
        max_steps: int = 0,
        regular: bool = False,
    ) -> None:
        """seconds_per_step: an estimate. valid_tokens: of a validation.

        max_steps: never more, however much time is left; 0 = no limit. regular: validate every
        `config.eval_every` steps, not by the clock.
        """
        self.config, self.deadline = config, deadline
        self.regular, self.max_steps = regular, max_steps
        steps = valid_tokens * VALIDATION_COST / (config.batch_size * config.bptt)
        self.validation_seconds = steps * seconds_per_step
        self.recent = deque([seconds_per_step])  # seconds of each of the last steps
        self.total, self.steps_per_epoch = SHORTEST, 0
        self.began = self.last = self.next_validation = deadline - SHORTEST

    def started(self, now: float, steps_per_epoch: int) -> None:
        self.steps_per_epoch = steps_per_epoch
        self.began = self.last = now
        self.total = max(SHORTEST, self.deadline - now)
        self.next_validation = now + self._interval(now)

    def stepped(self, progress: Progress, now: float) -> None:
        self.recent.append(now - self.last)
        self.last = now
        while len(self.recent) > RECENT_STEPS and sum(self.recent) > RECENT_SECONDS:
            self.recent.popleft()
        seconds_per_step = max(1e-6, sum(self.recent) / len(self.recent))
        interval = self._interval(now)
        if self.regular:
            interval = self.config.eval_every * seconds_per_step
        share = interval / (interval + self.validation_seconds)
        left = max(0.0, self.deadline - now - self.validation_seconds) * share
        steps = progress.step + round(left / seconds_per_step)
        progress.steps = min(steps, self.max_steps or steps)
        progress.seconds_left = max(0.0, self.deadline - now)
        progress.max_steps, progress.regular = self.max_steps, self.regular

    def validation_due(self, progress: Progress, now: float) -> bool:
        if progress.step >= progress.steps:
            return True
        if self.regular:
            return is_regular(self.config, progress.step)
        return now >= self.next_validation and self.deadline - now > 2 * self.validation_seconds

    def validated(self, progress: Progress, began: float, now: float) -> None:
        self.validation_seconds = now - began
        limit = progress.step + max(1, round(ANNEALING_FRACTION * progress.step))
        if self._has_stalled(progress) and limit < progress.steps:
            self.max_steps = progress.max_steps = progress.steps = limit
            progress.ended_early = True
        self.last = now
        self.next_validation = now + self._interval(now)

    def _has_stalled(self, progress: Progress) -> bool:
        """Whether further passes over the text would only overfit."""
        since_best = progress.step - progress.best_step
        return (
            self.config.schedule == "cosine"
            and progress.stalled >= STALLED_VALIDATIONS
            and since_best > STALLED_STEPS
            and since_best > STALLED_EPOCHS * self.steps_per_epoch
            and since_best > STALLED_FRACTION * progress.best_step
        )

    def _interval(self, now: float) -> float:
        """Seconds to the next validation: short at first, when most changes."""
        elapsed = max(0.0, now - self.began)
        affordable = self.validation_seconds * (1 / VALIDATION_TIME_FRACTION - 1)
        early = max(elapsed, EARLY_VALIDATIONS * self.validation_seconds)
        wanted = min(max(elapsed, self.total / 50) / 8, self.total / MAX_VALIDATIONS)
        return min(max(wanted, min(affordable, early)), self.total / MIN_VALIDATIONS)


def resumed(config: TrainConfig, progress: Progress, valid_tokens: int, now: float) -> Planner:
    """The planner of a run that was stopped: by the clock, it goes on for the time that was left.

    valid_tokens: of a validation. now: on the clock of time.monotonic, seconds.
    """
    if not progress.seconds_left or progress.step >= progress.steps:
        return StepPlanner(config)
    return TimePlanner(
        config,
        now + progress.seconds_left,
        progress.seconds / max(1, progress.step),
        valid_tokens,
        max_steps=progress.max_steps,
        regular=progress.regular,
    )
