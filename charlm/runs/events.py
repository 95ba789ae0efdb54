"""Callbacks of training: the plan, each step, each validation, the outcome."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..config import NetworkConfig, TrainConfig
from ..measures import Measures
from ..text.corpus import Corpus


@dataclass(frozen=True)
class Plan:
    """What is about to be trained, for display."""

    run: Path
    corpus: Corpus
    network: NetworkConfig
    config: TrainConfig
    parameters: int
    resumed_at: int  # step


@dataclass(frozen=True)
class Step:
    """One optimiser step, for display."""

    step: int
    steps: int  # in total, as currently planned
    loss: float  # nats per token of this batch
    gradient_norm: float  # L2, before clipping
    learning_rate: float
    tokens_per_second: float  # recently
    seconds_left: float


@dataclass(frozen=True)
class Baseline:
    """An n-gram model of the same tokens, on the same validation text."""

    order: int
    tokens: int  # of the training text that were counted
    of: int  # tokens of the whole training text
    measures: Measures
    warnings: list[str]  # where the text was too small to estimate a discount from

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "measures": self.measures.as_dict()}


@dataclass(frozen=True)
class Outcome:
    """The result of a run."""

    run: Path
    model: Path
    best: dict[str, Any]  # of the model on validation text (`Measures.as_dict`)
    best_step: int
    seconds: float
    steps: int
    planned_steps: int  # before the first one; with a duration in minutes, speed decides
    tokens_per_second: float
    interrupted: bool
    ended_early: bool = False  # since more passes over the text would only have overfitted
    guessing_bits_per_char: float = math.nan  # of equally probable tokens
    baseline: Baseline | None = None  # None: not comparable, no time for it, or interrupted
    train_nats: float | None = None  # training loss of the last steps, nats per token
    kept: Sequence[float] = ()  # bits/char of the old text: before training, of the best network
    network: dict[str, Any] | None = (
        None  # if an n-gram model is mixed in: the measures of the network alone
    )


class Events:
    """Callbacks that training reports to; the base class ignores them all."""

    wants_samples = False

    def stage(self, name: str, done: float) -> None:
        """Preparation: stage `name` is `done` (0 to 1)."""

    def started(self, plan: Plan) -> None:
        """Training starts or resumes."""

    def step(self, step: Step) -> None:
        """An optimiser step has been made."""

    def validated(self, step: int, measures: Measures, is_best: bool) -> None:
        """The validation text has been scored."""

    def kept(self, measures: Measures, at_first: float) -> None:
        """The old text has been scored; it had `at_first` bits per character before training."""

    def wrote(self, text: str) -> None:
        """The model wrote this sample."""

    def announce(self, message: str) -> None:
        """What long work that now begins will take."""

    def warn(self, message: str) -> None:
        """Something the user should know went wrong and was handled."""
