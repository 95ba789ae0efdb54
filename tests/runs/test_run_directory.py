"""Run directories, defaults, and the allocator's manners."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from charlm.errors import CharlmError
from charlm.runs import defaults
from charlm.runs.defaults import Facts
from charlm.runs.options import TrainRunOptions
from charlm.runs.run_directory import RunDirectory, create
from charlm.system import allocator


def test_fresh_directories_are_numbered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
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


def test_budget_is_one_thing() -> None:
    assert TrainRunOptions(steps=3).steps == 3
    with pytest.raises(CharlmError, match="`epochs` and `minutes`"):
        TrainRunOptions(epochs=1, minutes=1)
    with pytest.raises(CharlmError, match="above 0"):
        TrainRunOptions(minutes=0)


def test_defaults_yield_to_the_user_and_fit_the_corpus() -> None:
    facts = Facts("char", 1_000_000, 65)
    chosen = defaults.network({"hidden": 99, "dropout_input": 0.1}, facts)
    assert (chosen.hidden, chosen.embed, chosen.dropout_input) == (99, 64, 0.1)
    assert chosen.vocab_size == 65
    assert defaults.network({}, Facts("word", 1_000_000, 20_000)).tied
    dropped = defaults.dropout(chosen, {"dropout_output": 0.2}, facts, 1, rate=0.5)
    assert (dropped.dropout_input, dropped.dropout_between) == (0.12, 0.5)
    assert dropped.dropout_output == 0.2
    rates = [defaults.dropout(chosen, {}, facts, n).dropout_output for n in (1, 4, 8, 16, 999)]
    assert rates == [0, 0.1, 0.22, 0.34, 0.5]
    drops = [defaults.dropout(chosen, {}, facts, n).weight_drop for n in (1, 16, 32, 64, 999)]
    assert drops == [0, 0, 0.1, 0.2, 0.2]
    words = Facts("word", 1_000_000, 20_000)
    rates = [defaults.dropout(chosen, {}, words, n).dropout_input for n in (1, 2, 5, 8, 99)]
    assert rates == [0, 0, 0.25, 0.5, 0.5]
    small = defaults.training({}, Facts("char", 5_000, 65))
    assert small.batch_size * small.bptt * 2 <= 5_000
    assert defaults.training({"lr": 0.5}, facts).lr == 0.5
    assert defaults.training({}, replace(facts, bf16=True)).optimizer == "muon"
    assert defaults.training({}, facts).optimizer == "adamw"
    assert defaults.tokenizer({"level": "word", "min_count": 3}).min_count == 3


@pytest.mark.skipif(not allocator.enabled(), reason="only on Linux with glibc")
def test_the_allocator_obeys() -> None:
    assert allocator.keep_pages()
    assert hasattr(ctypes.CDLL(None), "mallopt")


def test_relaunch_happens_once_and_keeps_the_arguments() -> None:
    code = (
        "import os, sys; from charlm.system import allocator; allocator.relaunch(); "
        "print(os.environ.get('GLIBC_TUNABLES'), sys.argv[1:])"
    )
    for switch, expected in (("", "glibc.malloc.hugetlb=1"), ("off", "None")):
        environment = {k: v for k, v in os.environ.items() if k != allocator.TUNABLES}
        environment |= {allocator.SWITCH: switch}
        done = subprocess.run(
            [sys.executable, "-c", code, "a b", "--c"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        if not allocator.enabled():
            expected = "None"
        assert done.stdout == f"{expected} ['a b', '--c']\n"


def test_the_allocator_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(allocator.SWITCH, "tuned")  # put back afterwards, whatever turn_off does
    allocator.turn_off()
    assert not allocator.enabled()
    assert not allocator.keep_pages()


def test_short_runs_of_large_vocabularies_have_a_higher_rate() -> None:
    facts = Facts("word", 1_000_000, 20_000)

    def rate(steps: int, facts: Facts = facts, **settings: Any) -> float:
        config = replace(defaults.training(settings, facts), steps=steps)
        return defaults.rate(config, settings, facts).lr

    assert rate(2000) == rate(10_000) == 3e-3
    assert rate(500) == pytest.approx(6e-3)
    assert rate(10) == pytest.approx(8e-3)
    assert rate(10, lr=1e-3) == 1e-3
    small = Facts("char", 1_000_000, 65)
    assert rate(10, small) == rate(10_000, small)
