"""Work shared by processes: in order, each with what it has loaded, and with errors that say so."""

from __future__ import annotations

import os
import signal
from functools import partial

import pytest

from charlm.errors import CharlmError
from charlm.system import machine
from charlm.system.workers import map_with


def load(number: int) -> tuple[int, int, str]:
    return number, os.getpid(), os.environ["OMP_NUM_THREADS"]


def work(loaded: tuple[int, int, str], item: int) -> tuple[int, int, str]:
    if item < 0:
        raise CharlmError(f"{item} is negative")
    if item == 999:
        os.kill(os.getpid(), signal.SIGKILL)
    return loaded[0] * item, loaded[1], loaded[2]


def test_results_are_in_order_and_each_process_loads_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    found = list(map_with(partial(load, 3), work, range(20), 2))
    assert [one[0] for one in found] == list(range(0, 60, 3))
    assert os.getpid() not in {one[1] for one in found}
    assert {one[2] for one in found} == {str(max(1, machine.cores() // 2))}
    assert "OMP_NUM_THREADS" not in os.environ


def test_an_error_in_a_process_is_raised_here() -> None:
    with pytest.raises(CharlmError, match="-1 is negative"):
        list(map_with(partial(load, 1), work, [1, -1, 2], 2))


def test_a_process_that_is_killed_is_an_error() -> None:
    with pytest.raises(CharlmError, match="one of 2 processes was killed"):
        list(map_with(partial(load, 1), work, [1, 999, 2], 2))
