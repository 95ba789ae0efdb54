"""For tests that train: small settings, and events that are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from charlm.measures import Measures
from charlm.runs.events import Events, Plan, Step

SMALL: dict[str, Any] = {
    "hidden": 16,
    "embed": 8,
    "batch_size": 4,
    "bptt": 16,
    "precision": "fp32",
    "threads": 1,
    "device": "cpu",
    "plain": True,
}


class Recorder(Events):
    """Keeps what it is told; can act at a step."""

    def __init__(self, *, wants_samples: bool = True) -> None:
        self.wants_samples = wants_samples
        self.losses: list[float] = []
        self.warnings: list[str] = []
        self.written: list[str] = []
        self.stages: dict[str, list[float]] = {}
        self.validations: list[tuple[int, Measures, bool]] = []
        self.plan: Plan | None = None
        self.at: dict[int, Callable[[], object]] = {}

    def stage(self, name: str, done: float) -> None:
        self.stages.setdefault(name, []).append(done)

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
