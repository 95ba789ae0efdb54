"""Runs by steps and runs by the clock: when they validate, when they end."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.config import TrainConfig
from charlm.training.checkpoint import Progress
from charlm.training.plan import StepPlanner, TimePlanner, resumed

CONFIG = TrainConfig(steps=1000, eval_every=100)


class Simulated:
    """A run whose steps and validations take the seconds given, as functions of the time."""

    def __init__(
        self,
        step: Callable[[float], float],
        validation: Callable[[float], float],
        seconds: float = 100.0,
        max_steps: int = 0,
        *,
        regular: bool = False,
        best_until: float = math.inf,
        better_from: float = math.inf,
        steps_per_epoch: int = 20,
        config: TrainConfig = CONFIG,
    ) -> None:
        """best_until: the step after which no validation is better than those before, until
        better_from, after which each is again.
        """
        self.now, self.progress = 0.0, Progress(steps=CONFIG.steps)
        self.validations: list[float] = []
        self.planned: list[int] = []
        plan = TimePlanner(config, seconds, step(0.0), 60_000, max_steps=max_steps, regular=regular)
        plan.started(self.now, steps_per_epoch)
        while self.progress.step < self.progress.steps:
            self.now += step(self.now)
            self.progress.step += 1
            plan.stepped(self.progress, self.now)
            self.planned.append(self.progress.steps)
            if plan.validation_due(self.progress, self.now):
                began = self.now
                self.now += validation(began)
                self.validations.append(began)
                self.progress.stalled += 1
                if self.progress.step <= best_until or self.progress.step >= better_from:
                    self.progress.best_step, self.progress.stalled = self.progress.step, 0
                plan.validated(self.progress, began, self.now)


def test_a_run_by_steps_validates_more_often_at_first() -> None:
    plan, progress = StepPlanner(CONFIG), Progress(steps=1000)
    due = []
    for progress.step in range(1, 1001):
        plan.stepped(progress, 0.0)
        if plan.validation_due(progress, 0.0):
            due.append(progress.step)
    assert due == [25, 50, 75, *range(100, 1001, 100)]
    assert progress.steps == 1000


def test_a_run_by_the_clock_ends_in_time() -> None:
    run = Simulated(lambda _: 0.05, lambda _: 0.5)
    assert run.now == pytest.approx(100, rel=0.01)
    assert 0.9 * 100 < 0.05 * run.progress.step < 0.97 * 100  # validations take their share
    assert run.validations[0] < 12
    assert len(run.validations) > 6


def test_a_neighbour_that_comes_later_costs_steps_not_time() -> None:
    run = Simulated(lambda now: 0.05 if now < 30 else 0.5, lambda now: 0.5 if now < 30 else 5.0)
    assert run.now == pytest.approx(100, rel=0.05)
    assert run.progress.step < 700 / 0.5


def test_a_neighbour_that_goes_is_made_use_of() -> None:
    run = Simulated(lambda now: 0.5 if now < 50 else 0.05, lambda _: 0.1)
    assert run.now == pytest.approx(100, rel=0.02)
    assert run.progress.step > 900


def test_never_more_steps_than_allowed() -> None:
    run = Simulated(lambda _: 0.05, lambda _: 0.5, max_steps=300)
    assert run.progress.step == 300
    assert run.now < 25


def test_a_run_that_overfits_is_annealed_and_ends() -> None:
    run = Simulated(lambda _: 0.01, lambda _: 0.02, best_until=1000)
    assert 1.3 * 1000 < run.progress.step < 2.5 * 1000
    assert run.progress.ended_early
    assert run.progress.max_steps == run.progress.step
    constant = replace(CONFIG, schedule="constant")
    other = Simulated(lambda _: 0.01, lambda _: 0.02, best_until=1000, config=constant)
    assert other.progress.step > 9000  # its schedule has no end to be brought to


@pytest.mark.parametrize("steps_per_epoch", [150, 5000])
def test_one_that_is_worse_for_less_than_two_passes_goes_on(steps_per_epoch: int) -> None:
    """A fine-tuned one begins at its best."""
    how: Any = {"best_until": 0, "better_from": 280, "steps_per_epoch": steps_per_epoch}
    run = Simulated(lambda _: 0.01, lambda _: 0.02, **how)
    assert run.progress.step > 9000
    assert not run.progress.ended_early


def test_a_run_whose_time_is_up_anyway_does_not_end_early() -> None:
    run = Simulated(lambda _: 0.01, lambda _: 0.02, best_until=7000)
    assert run.progress.step > 9000
    assert not run.progress.ended_early


def test_the_plan_is_steady_from_the_first_step() -> None:
    run = Simulated(lambda _: 0.05, lambda _: 0.5)
    assert max(run.planned) < 1.2 * min(run.planned)


@pytest.mark.parametrize("seconds", [-20.0, -0.3, 0.0, 0.01])
@pytest.mark.parametrize("regular", [False, True])
def test_a_run_that_begins_too_late_makes_one_step(seconds: float, regular: bool) -> None:
    run = Simulated(lambda _: 0.03, lambda _: 0.14, seconds, regular=regular)
    assert run.progress.step == 1
    assert len(run.validations) == 1


def test_a_stopped_run_goes_on_for_the_time_that_was_left() -> None:
    progress = Progress(
        step=100, steps=200, seconds=10.0, seconds_left=5.0, max_steps=180, regular=True
    )
    plan = resumed(CONFIG, progress, 1000, now=70.0)
    assert isinstance(plan, TimePlanner)
    assert (plan.max_steps, plan.regular) == (180, True)
    plan.started(70.0, 10)
    progress.step += 1
    plan.stepped(progress, 70.1)
    assert 140 < progress.steps < 152
    assert progress.seconds_left == pytest.approx(4.9)


def test_a_stopped_run_by_steps_or_one_that_was_finished_stays_by_steps() -> None:
    for progress in (Progress(step=10, steps=20), Progress(step=20, steps=20, seconds_left=3.0)):
        assert isinstance(resumed(CONFIG, progress, 1000, now=0.0), StepPlanner)


def test_validations_by_the_settings_if_the_user_wants_that() -> None:
    run = Simulated(lambda _: 0.05, lambda _: 0.5, regular=True)
    assert len(run.validations) == 3 + run.progress.step // 100 + (run.progress.step % 100 > 0)


@given(
    st.lists(st.floats(0.02, 3.0), min_size=1, max_size=50),
    st.lists(st.floats(0.001, 5.0), min_size=1, max_size=9),
)
def test_however_speeds_change_the_end_is_near_the_deadline(
    steps: list[float], validations: list[float]
) -> None:
    """Late by one step and what the last validation took longer than the one before, at most."""
    run = Simulated(
        lambda now: steps[int(now / 100 * len(steps)) % len(steps)],
        lambda now: validations[int(now / 100 * len(validations)) % len(validations)],
    )
    assert run.validations
    assert run.now <= 100 + 2 * max(steps) + 2 * max(validations)
    assert run.now >= 100 - 3 * max(steps) - 3 * max(validations) - 1
