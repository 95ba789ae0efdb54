"""The number of steps that fit in the time given."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charlm.measures import Measures
from charlm.runs.events import Events, Plan, Step
from charlm.training.run import train

SMALL: dict[str, Any] = {
    "hidden": 16,
    "embed": 8,
    "batch_size": 4,
    "bptt": 16,
    "precision": "fp32",
    "threads": 1,
    "device": "cpu",
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    """A few thousand characters with something to learn in them."""
    rng = np.random.default_rng(0)
    who, what = ["the cat", "a dog", "my bird"], ["sleeps", "eats fish", "sees the sea"]
    lines = [f"{rng.choice(who)} {rng.choice(what)}." for _ in range(300)]
    path = tmp_path / "text.txt"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


class Recorder(Events):
    """Keeps what it is told; can act at a step."""

    wants_samples = True

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.warnings: list[str] = []
        self.written: list[str] = []
        self.validations: list[tuple[int, Measures, bool]] = []
        self.plan: Plan | None = None
        self.at: dict[int, Any] = {}

    def started(self, plan: Plan) -> None:
        self.plan = plan

    def step(self, step: Step) -> None:
        self.losses.append(step.loss)
        if step.step in self.at:
            self.at.pop(step.step)()

    def validated(self, step: int, measures: Measures, is_best: bool) -> None:
        self.validations.append((step, measures, is_best))

    def wrote(self, text: str) -> None:
        self.written.append(text)

    def warn(self, message: str) -> None:
        self.warnings.append(message)


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
