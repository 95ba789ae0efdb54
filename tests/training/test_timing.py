"""The number of steps that fit in the time given."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest
from trainings import SMALL, Recorder

from charlm.runs.events import Step
from charlm.training.run import train


def test_the_number_of_steps_follows_the_clock(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine turns out to be ten times slower than measured: the run still ends in time."""
    monkeypatch.setattr("charlm.training.timing.seconds_per_step", lambda *_: 0.0005)
    rates: list[float] = []

    class Slow(Recorder):
        def step(self, step: Step) -> None:
            time.sleep(0.005)
            rates.append(step.learning_rate)

    began = time.monotonic()
    outcome = train(text, minutes=0.08, eval_every=50, events=Slow(), **SMALL)
    assert time.monotonic() - began < 8
    assert outcome.steps < 1500
    falls = [a - b for a, b in pairwise(rates[50:])]
    assert min(falls) >= 0  # the schedule never jumps back
    assert rates[-1] < 0.02 * max(rates)  # and reaches its end
