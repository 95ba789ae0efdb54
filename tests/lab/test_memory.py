"""The languages of the laboratory, and what is remembered of them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from cli_support import Cli
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm.config import CELLS, NetworkConfig
from charlm.errors import CharlmError
from charlm.lab import lags, learn, memory, timer
from charlm.network.network import Network
from charlm.system import machine


@given(st.integers(1, 40), st.integers(1, 30), st.integers(0, 9))
def test_the_first_symbol_determines_the_end(lag: int, count: int, seed: int) -> None:
    task = lags.task(np.random.default_rng(seed), lag, count)
    assert task.x_TB.shape == (lag, count)  # the end comes `lag` symbols after the first
    assert task.counts_TB.sum() == count
    assert task.counts_TB[-1].all()
    np.testing.assert_array_equal(task.x_TB[0] - lags.FIRST, task.y_TB[-1] - lags.END)
    assert (task.x_TB[1:] < lags.FILLERS).all()


@given(st.lists(st.integers(1, 12), min_size=1, max_size=5))
def test_the_timer_counts_what_is_certain(numbers: list[int]) -> None:
    task = timer.task(numbers)
    for row, n in enumerate(numbers):
        own = task.counts_TB[:, row]
        assert task.x_TB[own, row].tolist() == [timer.B] * n
        assert task.y_TB[own, row].tolist() == [timer.B] * (n - 1) + [0]
        assert task.x_TB[:n, row].tolist() == [timer.A] * n


@pytest.mark.parametrize("order", memory.ORDERS)
def test_an_ngram_sees_as_far_as_its_window(order: int) -> None:
    for lag in range(1, 8):
        share = lags.recall_of_ngram(order, lag, seed=1)
        if lag < order:
            assert share == 1.0
        else:
            assert abs(share - 0.5) < 0.08


@pytest.mark.parametrize("cell", CELLS)
def test_gates_begin_with_biases_for_the_lag(cell: str) -> None:
    network = Network(NetworkConfig(9, cell=cell, embed=4, hidden=200))
    network.initialise(1)
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    lags.chrono(network, 50, seed=1)
    after = dict(network.named_parameters())
    changed = [name for name, p in after.items() if not torch.equal(p, before[name])]
    assert changed == ([] if cell.startswith("rnn") else ["rnn.0.bias_ih"])
    if changed:
        kept = after["rnn.0.bias_ih"].detach()[200:400]  # f of LSTMs, z of the GRU
        assert 0 <= float(kept.min()) < 1.5
        assert 3.5 < float(kept.max()) <= np.log(49) + 1e-6
    if cell.startswith("lstm"):
        assert torch.equal(after["rnn.0.bias_ih"][:200], -after["rnn.0.bias_ih"][200:400])


def test_cells_learn_a_short_lag_and_not_without_training() -> None:
    for cell in ("rnn", "lstm", "gru"):
        share, taken = lags.recall(lags.Job(cell, 4, seed=1, hidden=32, max_steps=150))
        assert share > 0.99
        assert 10 < taken < 150
        assert lags.recall(lags.Job(cell, 4, seed=1, hidden=32, max_steps=1))[0] < 0.85


def small(**more: object) -> memory.Memory:
    usual = {"cells": ["rnn"], "lags": [2, 6], "hidden": 8, "steps": 5, "seeds": 2, "count": False}
    return memory.experiment(**(usual | more))  # type: ignore[arg-type]


def test_processes_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "cores", lambda: 2)
    many = small()
    monkeypatch.setattr(machine, "cores", lambda: 1)
    told: list[float] = []
    one = small(progress=told.append)
    assert one == many
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)
    assert small(seed=7) != one


def test_a_process_that_dies_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "cores", lambda: 2)
    with pytest.raises(CharlmError, match="died"):
        learn.run_parallel(os._exit, [9, 9], [1.0, 1.0])


def test_drill_ends_when_nothing_is_left_to_learn() -> None:
    network = Network(NetworkConfig(9, cell="gru", embed=4, hidden=8))
    network.initialise(1)
    rng = np.random.default_rng(1)
    steps = learn.train_on_task(network, lambda: lags.task(rng, 2, 8), 50, 1e-3, target_loss=100.0)
    assert steps == learn.CONVERGED_STEPS


@settings(max_examples=3, deadline=None)
@given(st.sampled_from(CELLS))
def test_counting_is_by_seed(cell: str) -> None:
    right = (True, True, False, True)
    assert memory.Count(cell, (right, (True,) * 4, (False,) * 4)).reach == (2, 4, 0)


def test_remarks_do_not_overlook_a_gap() -> None:
    shares = {1: 1.0, 2: 1.0, 3: 0.5, 5: 1.0, 10: 0.5, 20: 0.5}
    one = memory.Recall("rnn", {lag: (share,) for lag, share in shares.items()}, {})
    assert memory.Memory((1,), 8, 5, (one,), ()).kept(one) == 2
    assert memory.Memory((1,), 8, 5, (one,), ()).lost(one) == 10


def test_what_cannot_be_asked() -> None:
    with pytest.raises(CharlmError, match="unknown cell"):
        small(cells=["brain"])
    with pytest.raises(CharlmError, match="lags must be"):
        small(lags=[0])


def test_the_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(machine, "cores", lambda: 1)
    monkeypatch.setattr(timer, "MAX_STEPS", 3)
    monkeypatch.chdir(tmp_path)
    cli = Cli(None, capsys, monkeypatch)
    given = ("lab", "memory", "--cells", "rnn,gru", "--lags", "2,6", "--steps", "3", "--seeds", "2")
    shown = cli(*given)
    assert shown.code == 0
    assert "chrono" in shown.out
    assert max(map(len, shown.out.splitlines()[:10])) <= 80
    assert Path("lab-memory.png").read_bytes().startswith(b"\x89PNG")
    data = json.loads(cli(*given, "--json").out)
    assert [one["model"] for one in data["recall"]] == ["rnn", "gru", "2-gram", "3-gram", "5-gram"]
    assert len(data["counting"][0]["reach"]) == 2
    for wrong in (["--lags", "x"], ["--lags", "²"], ["--lags", ""], ["--seed", "9" * 30]):
        assert cli.fails("lab", "memory", *wrong)
    assert cli.fails("lab", "memory", "--cells", "x")
    assert cli.fails("lab", "memory", "--out", tmp_path)
