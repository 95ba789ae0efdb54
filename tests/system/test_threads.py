"""Threads beside other work: what is asked of the libraries, and how many cores are free."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from charlm.system import machine, threads


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        *("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"),
        *("OPENBLAS_THREAD_TIMEOUT", "OPENBLAS_NUM_THREADS"),
    ):
        monkeypatch.setenv(name, "")  # put back afterwards, whatever the test does
        monkeypatch.delenv(name)


def test_threads_wait_briefly_unless_the_user_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENBLAS_THREAD_TIMEOUT", "4")
    threads.wait_briefly()
    assert os.environ["GOMP_SPINCOUNT"] == "10000"
    assert os.environ["OPENBLAS_THREAD_TIMEOUT"] == "4"
    monkeypatch.delenv("GOMP_SPINCOUNT")
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    threads.wait_briefly()
    assert "GOMP_SPINCOUNT" not in os.environ


def test_importing_charlm_sets_it_before_any_library_loads() -> None:
    code = (
        "import os, sys, charlm; "
        "print(os.environ['GOMP_SPINCOUNT'], 'numpy' in sys.modules, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "10000 False False\n"


@pytest.mark.parametrize(
    ("running", "everywhere", "ours", "free"),
    [
        (1, 4, 4, 4),  # only this process
        (2, 4, 4, 3),
        (5, 4, 4, 1),  # one busy process per core
        (50, 4, 4, 1),
        (3, 64, 2, 2),  # two of many cores are ours, and others are free
        (64, 64, 2, 1),
    ],
)
def test_free_cores(
    running: int,
    everywhere: int,
    ours: int,
    free: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load = tmp_path / "loadavg"
    load.write_text(f"0.25 0.99 1.34 {running}/79 29662\n")
    monkeypatch.setattr(threads, "LOAD", load)
    monkeypatch.setattr(os, "cpu_count", lambda: everywhere)
    monkeypatch.setattr(machine, "cores", lambda: ours)
    assert threads.free_cores() == free
    monkeypatch.setattr(threads, "LOAD", tmp_path / "missing")
    assert threads.free_cores() == ours


def test_numpy_leaves_busy_cores_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "cores", lambda: 4)
    monkeypatch.setattr(threads, "free_cores", lambda: 3)
    threads.leave_busy_cores()
    assert "OPENBLAS_NUM_THREADS" not in os.environ  # NumPy is loaded: too late
    monkeypatch.delitem(sys.modules, "numpy")
    threads.leave_busy_cores()
    assert os.environ["OPENBLAS_NUM_THREADS"] == "3"
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    threads.leave_busy_cores()
    assert os.environ["OPENBLAS_NUM_THREADS"] == "2"
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    monkeypatch.setattr(threads, "free_cores", lambda: 4)
    threads.leave_busy_cores()
    assert "OPENBLAS_NUM_THREADS" not in os.environ
