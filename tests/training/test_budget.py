"""Settings that fit the time: width, validation, threads."""

from __future__ import annotations

import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from trainings import SMALL

from charlm.config import NetworkConfig, TrainConfig
from charlm.system import threads
from charlm.training import budget, loop
from charlm.training.closing import Closing
from charlm.training.run import train


def planned(text: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> dict[str, Any]:
    """The settings of a run on a machine whose step takes 1 ms per unit."""

    def takes(network: NetworkConfig, *_: object) -> float:
        return network.hidden / 1000

    monkeypatch.setattr("charlm.training.timing.seconds_per_step", takes)
    monkeypatch.setattr(loop.Trainer, "fit", lambda self: self.config)
    monkeypatch.setattr(Closing, "finish", lambda self, outcome, *_: outcome)
    small = {name: value for name, value in SMALL.items() if name not in ("hidden", "embed")}
    out = Path(f"run{len(list(Path.cwd().glob('run*')))}")
    train(text, out=out, **{**small, **settings})
    return tomllib.loads((out / "config.toml").read_text())


@pytest.mark.parametrize(("minutes", "hidden"), [(10, 256), (1.5, 128), (0.1, 64)])
def test_the_width_fits_the_time(
    text: Path, monkeypatch: pytest.MonkeyPatch, minutes: float, hidden: int
) -> None:
    found = planned(text, monkeypatch, minutes=minutes)
    assert found["network"]["hidden"] == hidden
    steps = 60 * minutes / (hidden / 1000)
    assert 0.5 * steps < found["training"]["steps"] <= steps or hidden == 64


def test_a_width_that_is_given_is_kept(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = planned(text, monkeypatch, minutes=0.1, hidden=300)
    assert found["network"]["hidden"] == 300


def test_validation_text_fits_the_time(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    valid = tmp_path / "valid.txt"
    valid.write_text("the cat sleeps.\n" * 20_000)
    short = planned(text, monkeypatch, minutes=0.1, valid=valid)["training"]["valid_tokens"]
    assert short == budget.MIN_VALID_TOKENS
    asked = planned(text, monkeypatch, minutes=0.1, valid=valid, valid_tokens=77)
    assert asked["training"]["valid_tokens"] == 77


def test_threads_to_choose_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "free_cores", lambda: 7)
    config = TrainConfig(threads=8)
    assert budget.thread_counts(config, None) == [8, 7, 4, 1]
    assert budget.thread_counts(config, 5) == [5]
    assert budget.thread_counts(TrainConfig(threads=8, device="cuda"), None) == [8]
    assert budget.thread_counts(TrainConfig(threads=1), None) == [1]


def test_minutes_count_from_where_they_are_told_to(
    text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a process that has been starting for a while: the time left is shorter."""
    began = time.monotonic() - 56
    monkeypatch.setattr(loop.Trainer, "fit", lambda self: self.planner)
    monkeypatch.setattr(Closing, "finish", lambda self, outcome, *_: outcome)
    planner: Any = train(text, minutes=1, began=began, **SMALL)
    assert began + 57 < planner.deadline < began + 60  # what follows training takes the rest


def test_a_run_without_any_time_left_still_leaves_a_model(text: Path) -> None:
    outcome = train(text, minutes=1, began=time.monotonic() - 100, **SMALL)
    assert outcome.steps == 1
    assert outcome.model.exists()


def test_the_tuner_can_return_to_all_threads(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though fewer were faster when the run began."""

    def takes(network: NetworkConfig, config: TrainConfig, *_: object) -> float:
        return 0.001 * config.threads

    monkeypatch.setattr("charlm.training.timing.seconds_per_step", takes)
    monkeypatch.setattr("torch.get_num_threads", lambda: 4)
    monkeypatch.setattr("charlm.system.machine.cores", lambda: 4)
    monkeypatch.setattr(threads, "free_cores", lambda: 3)
    monkeypatch.setattr(loop.Trainer, "fit", lambda self: self.tuner)
    monkeypatch.setattr(Closing, "finish", lambda self, outcome, *_: outcome)
    tuner: Any = train(text, minutes=1, **{**SMALL, "threads": None})
    assert tuner.threads == 1
    assert tuner.counts == [4, 3, 2, 1]
