"""Trackers get the numbers of training, and are told of its end."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from trainings import Recorder

import charlm
from charlm.errors import CharlmError
from charlm.runs.events import Plan, Step
from charlm.training import trackers
from charlm.training.trackers import Several, Tracker, tracked

pytestmark = pytest.mark.train

SMALL: dict[str, Any] = {"hidden": 8, "layers": 1, "batch_size": 4, "bptt": 16, "threads": 1}


class Kept(Tracker):
    """Keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[int, dict[str, float]]] = []
        self.closed: list[bool] = []

    def log(self, values: Mapping[str, float], step: int) -> None:
        self.rows.append((step, dict(values)))

    def close(self, *, failed: bool) -> None:
        self.closed.append(failed)


@pytest.fixture
def text(elsewhere: Path) -> Path:
    path = Path("text.txt")
    path.write_text("the cat sees a dog, and a dog sees the cat\n" * 150)
    return path


def train(text: Path, **more: Any) -> Any:
    return charlm.train(text, progress=False, plain=True, steps=6, **SMALL, **more)


def test_numbers_of_steps_and_validations(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept()
    monkeypatch.setattr(trackers, "SECONDS", 0.0)
    monkeypatch.setitem(trackers.TRACKERS, "kept", lambda: kept)
    recorder = Recorder()
    done = train(text, log=["kept"], events=recorder, out="run")
    steps = [step for step, values in kept.rows if "train/loss" in values]
    assert steps == [1, 2, 3, 4, 5, 6]
    valid = [values for _, values in kept.rows if "valid/perplexity" in values]
    assert valid[-1]["valid/best_bits_per_char"] == pytest.approx(done.best["bits_per_char"])
    assert kept.closed == [False]
    assert recorder.plan is not None  # the other watcher is told, too


def test_steps_are_not_logged_more_than_once_a_second() -> None:
    kept = Kept()
    for number in range(1, 101):
        kept.step(Step(number, 100, 1.0, 1.0, 0.1, 5.0, 0.0))
    assert [step for step, _ in kept.rows] == [1, 100]


def test_a_failure_is_told() -> None:
    kept = Kept()
    with pytest.raises(ZeroDivisionError), tracked([], Several([kept])):
        raise ZeroDivisionError
    with pytest.raises(CharlmError, match=r"choose tensorboard \| mlflow"), tracked(["x"], kept):
        pass


def test_a_tracker_that_fails_ends_no_training() -> None:
    class Broken(Kept):
        def log(self, values: Mapping[str, float], step: int) -> None:
            raise ConnectionError("nobody there")

    recorder, broken = Recorder(), Broken()
    several = Several([recorder, broken])
    for number in (1, 2):
        several.step(Step(number, 2, 1.0, 1.0, 0.1, 5.0, 0.0))
    assert recorder.losses == [1.0, 1.0]
    assert recorder.warnings == [
        "Broken fails, and gets no more numbers: ConnectionError: nobody there"
    ]


def test_a_tracker_that_cannot_begin_is_an_error(
    text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Closed(Kept):
        def started(self, plan: Plan) -> None:
            raise ConnectionError("nobody there")

    monkeypatch.setitem(trackers.TRACKERS, "closed", Closed)
    with pytest.raises(CharlmError, match="Closed cannot begin: nobody there"):
        train(text, log=["closed"])


def test_what_is_not_installed_is_named(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("tensorboard", "mlflow"):
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(CharlmError, match=r"charlm\[trackers\]"):
            train(text, log=[name])


def test_mlflow(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Any] = []

    def start_run(run_id: str | None, run_name: str | None) -> Any:
        said.append((run_id, run_name))
        return SimpleNamespace(info=SimpleNamespace(run_id="abc"))

    stand_in = ModuleType("mlflow")
    vars(stand_in).update(
        start_run=start_run,
        log_params=lambda params: said.append(params["hidden"]),
        log_metrics=lambda values, step: said.append(step),
        end_run=said.append,
    )
    monkeypatch.setitem(sys.modules, "mlflow", stand_in)
    monkeypatch.setattr(trackers, "require_packages", lambda *_: None)
    train(text, log=["mlflow"], out="run")
    assert said[:2] == [(None, "run"), 8]
    assert said[-1] == "FINISHED"
    assert json.loads(Path("run/mlflow.json").read_text()) == {"run_id": "abc"}
    said.clear()
    charlm.train(resume="run", log=["mlflow"], progress=False)
    assert said in ([], [("abc", None), "FINISHED"])


def test_tensorboard(text: Path) -> None:
    accumulate = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    train(text, log=["tensorboard"], out="run")
    found = accumulate.EventAccumulator("run/tensorboard").Reload()
    assert {"train/loss", "valid/perplexity"} <= set(found.Tags()["scalars"])
