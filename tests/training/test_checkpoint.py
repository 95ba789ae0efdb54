"""Checkpoints: a resumed run is bit-identical, and damage is noticed."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from trainings import SMALL, Recorder

from charlm.config import OPTIMIZERS
from charlm.errors import CharlmError
from charlm.runs.events import Outcome
from charlm.system.tensor_file import read
from charlm.training import checkpoint
from charlm.training.run import resume, train


def weights(outcome: Outcome) -> bytes:
    return outcome.model.read_bytes()


CELL_OF = {"adamw": "lstm", "adam": "gru", "sgd": "lstm-peephole"}  # each with one of its own
PAIRS = [*CELL_OF.items(), *(("muon", cell) for cell in CELL_OF.values())]


@pytest.mark.parametrize(("optimizer", "cell"), PAIRS)
def test_resume_is_bit_identical(
    text: Path, cell: str, optimizer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    how: dict[str, Any] = {
        **SMALL,
        "cell": cell,
        "layers": 2,
        "residual": cell == "gru",
        "dropout": 0.3,
        "optimizer": optimizer,
        "eval_every": 7,
        "steps": 40,
        "learned_start": True,
        "softmax_sample": 6 if optimizer == "adam" or cell == "gru" else 0,  # by rows with muon
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


def test_every_optimizer_is_resumed() -> None:
    assert {optimizer for optimizer, _ in PAIRS} == set(OPTIMIZERS)


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
