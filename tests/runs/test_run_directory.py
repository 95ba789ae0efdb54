"""Run directories: their names, and what is written is read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from charlm.errors import CharlmError
from charlm.runs.run_directory import RunDirectory, create


def test_fresh_directories_are_numbered(elsewhere: Path) -> None:
    names = [str(create(None, "some/corpus.txt").path) for _ in range(3)]
    assert names == ["runs/corpus", "runs/corpus-2", "runs/corpus-3"]
    assert str(create(None, "-").path) == "runs/stdin"


def test_out_may_be_empty_but_not_taken(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert create(str(empty), "x").path == empty
    (empty / "config.toml").touch()
    with pytest.raises(CharlmError, match="`resume="):
        create(str(empty), "x")
    (tmp_path / "file").touch()
    with pytest.raises(CharlmError, match="is a file"):
        create(str(tmp_path / "file"), "x")


def test_config_and_metrics_round_trip(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    settings = {"a": {"text": 'quote " \\ and \n and ü', "yes": True, "rate": 0.1, "list": ["x"]}}
    run.write_config(settings)
    assert run.read_config() == settings
    rows = [{"step": 1, "loss": 2.5}, {"step": 2, "loss": 2.25}, {"step": 3, "loss": 2.0}]
    run.write_metrics(rows)
    assert run.read_metrics(2) == rows[:2]
    run.metrics.write_text("{oops")
    with pytest.raises(CharlmError, match="damaged"):
        run.read_metrics(9)
