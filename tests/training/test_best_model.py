"""The best model outlives its run directory."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from trainings import SMALL, Recorder

import charlm
from charlm.errors import CharlmError
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
