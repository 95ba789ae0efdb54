"""Checkpoints: a resumed run is bit-identical, and damage is noticed."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charlm.config import OPTIMIZERS
from charlm.errors import CharlmError
from charlm.measures import Measures
from charlm.runs.events import Events, Outcome, Plan, Step
from charlm.system.tensor_file import read
from charlm.training import checkpoint
from charlm.training.run import resume, train

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


def weights(outcome: Outcome) -> bytes:
    return outcome.model.read_bytes()


@pytest.mark.parametrize("cell", ["lstm", "gru", "lstm-peephole"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_resume_is_bit_identical(
    text: Path, cell: str, optimizer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    how: dict[str, Any] = {
        **SMALL,
        "cell": cell,
        "layers": 2,
        "dropout": 0.3,
        "optimizer": optimizer,
        "eval_every": 7,
        "steps": 40,
        "learned_start": True,
    }
    straight = train(text, out="straight", **how)
    heard = Recorder()
    heard.at = {13: lambda: signal.raise_signal(signal.SIGINT)}
    broken = train(text, out="broken", events=heard, **how)
    assert broken.interrupted
    assert broken.steps == 13
    assert broken.model.exists()
    heard.at = {29: lambda: signal.raise_signal(signal.SIGTERM)}
    assert resume("broken", heard).steps == 29
    last = resume("broken")
    assert last.steps == 40
    assert weights(last) == weights(straight)
    one, two = (read(Path(r, "checkpoint.safetensors"), checkpoint.KIND)[1] for r in
                ("straight", "broken"))  # fmt: skip
    assert one.keys() == two.keys()
    for name in one:
        assert one[name].tobytes() == two[name].tobytes(), name
    assert resume("broken").steps == 40  # a finished run stays as it is
    assert weights(last) == weights(straight)


def test_resume_after_a_crash_repeats_what_was_lost(
    text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how: dict[str, Any] = {**SMALL, "dropout": 0.3, "steps": 30, "eval_every": 10}
    straight = train(text, out="straight", **how)

    class PowerCutError(Exception):
        pass

    def cut() -> None:
        raise PowerCutError

    heard = Recorder()
    heard.at = {17: cut}
    with pytest.raises(PowerCutError):
        train(text, out="broken", events=heard, **how)
    assert resume("broken").steps == 30
    assert Path("broken/model.safetensors").read_bytes() == weights(straight)
    rows = [json.loads(line) for line in Path("broken/metrics.jsonl").read_text().splitlines()]
    steps = [row["step"] for row in rows if "valid" in row]
    assert steps == [10, 20, 30]


def test_a_damaged_checkpoint_is_refused(text: Path) -> None:
    train(text, steps=3, out="run", **SMALL)
    path = Path("run/checkpoint.safetensors")
    data = path.read_bytes()
    for k in range(20):
        path.write_bytes(data[: len(data) * k // 20])
        with pytest.raises(CharlmError, match="damaged"):
            resume("run")
    flipped = bytearray(data)
    flipped[-5] ^= 1
    path.write_bytes(flipped)
    with pytest.raises(CharlmError, match="damaged"):
        resume("run")
