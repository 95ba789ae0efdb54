"""Run directories: their names, and what is written is read back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from charlm.errors import CharlmError
from charlm.runs.run_directory import RunDirectory, created


def new(out: str | None, corpus: str) -> str:
    with created(out, corpus) as run:
        return str(run.path)


def test_fresh_directories_are_numbered(elsewhere: Path) -> None:
    names = [new(None, "some/corpus.txt") for _ in range(3)]
    assert names == ["runs/corpus", "runs/corpus-2", "runs/corpus-3"]
    assert new(None, "-") == "runs/stdin"


def test_out_may_be_empty_but_not_taken(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert new(str(empty), "x") == str(empty)
    (empty / "config.toml").touch()
    with pytest.raises(CharlmError, match="`resume="):
        new(str(empty), "x")
    (tmp_path / "file").touch()
    with pytest.raises(CharlmError, match="is a file"):
        new(str(tmp_path / "file"), "x")


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    place = tmp_path / "run"
    with created(str(place), "x") as run:
        for claim in (lambda: created(str(place), "x"), run.claimed):
            with pytest.raises(CharlmError, match="is in use"), claim():
                pass
        assert list(place.iterdir()) == []
    with run.claimed():
        pass


def test_the_kernel_releases_what_a_killed_process_held(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from charlm.system import lock\n"
        "with lock.held(Path(sys.argv[1])) as mine:\n"
        "    print(mine, flush=True); time.sleep(60)"
    )
    words = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        with pytest.raises(CharlmError, match="in use"), RunDirectory(tmp_path).claimed():
            pass
        other.kill()
    with RunDirectory(tmp_path).claimed():
        pass


def test_a_failure_leaves_no_empty_directory_and_no_half_written_file(tmp_path: Path) -> None:
    place = tmp_path / "run"
    with pytest.raises(ZeroDivisionError), created(str(place), "x"):
        raise ZeroDivisionError
    assert not place.exists()
    with created(str(place), "x") as run:
        for name in ("metrics.jsonl", ".model.safetensors.abcdefg_.tmp", ".mine.tmp"):
            (place / name).touch()
    assert len(list(place.iterdir())) == 3
    with run.claimed():
        assert sorted(place.iterdir()) == [place / ".mine.tmp", run.metrics]


def test_config_and_metrics_round_trip(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    corpus = {
        "name": 'quote " \\ and \n and ü',
        "paths": ["x"],
        "valid": [],
        "encoding": "utf-8",
        "errors": "strict",
        "sha256": "0",
    }
    settings = {
        "corpus": corpus,
        "tokenizer": {"lower": True},
        "network": {"vocab_size": 9},
        "training": {"lr": 0.1},
    }
    run.write_config(settings)
    assert run.read_config() == settings
    one = {"seconds": 0.5, "learning_rate": 1e-3}
    rows = [{"step": k, "loss": loss, **one} for k, loss in ((1, 2.5), (2, 2.25), (3, 2.0))]
    run.write_metrics(rows)
    assert run.read_metrics(2) == rows[:2]
    run.metrics.write_text("{oops")
    with pytest.raises(CharlmError, match="damaged"):
        run.read_metrics(9)
