"""The best model outlives its run directory."""

from __future__ import annotations

import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from trainings import SMALL, Recorder

import charlm
from charlm.errors import CharlmError
from charlm.models import model_file
from charlm.training import loop
from charlm.training.run import train


@pytest.mark.parametrize("known", [True, False])
def test_a_run_directory_that_vanishes(
    text: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(loop, "CHECKPOINT_TIME_FRACTION", 1e9)
    heard = Recorder()
    heard.at = {12: lambda: shutil.rmtree("out/run")}
    how: dict[str, Any] = {**SMALL, "eval_every": 10 if known else 20}
    says = r"out/run has been removed .* now run-1\.safetensors" if known else "no model yet"
    Path("run.safetensors").write_text("mine")
    with pytest.raises(CharlmError, match=says):
        train(text, steps=20, out="out/run", events=heard, **how)
    assert Path("run.safetensors").read_text() == "mine"
    assert Path("run-1.safetensors").exists() == known
    assert len(heard.losses) == 12
    if known:
        assert charlm.load("run-1.safetensors").info["training"]["step"] == 10


@pytest.mark.parametrize("eval_every", [5, 10])
def test_what_a_model_file_says_of_its_training(text: Path, eval_every: int) -> None:
    how: dict[str, Any] = {**SMALL, "eval_every": eval_every, "plain": True}
    outcome = train(text, steps=10, out="run", **how)
    contents = model_file.read(outcome.model)
    assert contents.family == "recurrent"
    told = contents.training
    whole = text.read_text()
    assert told["corpus"] == "text.txt"
    assert told["sha256"] == sha256(whole.encode()).hexdigest()
    assert told["train"]["chars"] + told["valid"]["chars"] == len(whole)
    assert (told["step"], told["best"]) == (outcome.best_step, outcome.best)
    assert told["settings"]["steps"] == 10
    assert told["version"] == charlm.__version__
    assert Path("runs/latest").resolve() == Path("run").resolve()
