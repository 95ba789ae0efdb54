"""Work shared by processes: in order, each with what it has loaded, and with errors that say so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

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
        list(map_with(partial(load, 1), work, [1] * 8 + [999], 2))


def test_processes_that_cannot_begin_are_another() -> None:
    with pytest.raises(CharlmError, match=r"2 processes could not begin.*__main__"):
        list(map_with(partial(os._exit, 1), work, [1], 2))


def wait(loaded: int, item: Path) -> None:
    item.with_name(f"{item.name}-{os.getpid()}").touch()
    time.sleep(20)
    item.with_name("finished").touch()


def test_what_is_not_wanted_any_more_is_stopped(tmp_path: Path) -> None:
    results = map_with(int, wait, waited_for(tmp_path), 1)
    with pytest.raises(KeyboardInterrupt):
        list(results)
    assert not (tmp_path / "finished").exists()


def waited_for(place: Path) -> Iterator[Path]:
    """One item, and Ctrl-C as soon as it is being worked on."""
    yield place / "item"
    while not list(place.iterdir()):
        time.sleep(0.05)
    raise KeyboardInterrupt


SCRIPT = """
import time
from test_workers import wait
from charlm.system.workers import map_with
from pathlib import Path
if __name__ == "__main__":
    list(map_with(int, wait, [Path({place!r}, "item")], 1))
"""


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="the system has no /proc")
def test_processes_end_with_the_one_that_began_them(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(place=str(tmp_path / "working")))
    (tmp_path / "working").mkdir()
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    with subprocess.Popen([sys.executable, script], env={**os.environ, "PYTHONPATH": paths}) as run:
        while not (working := list((tmp_path / "working").iterdir())):
            time.sleep(0.05)
        run.kill()
    worker = int(working[0].name.rpartition("-")[2])
    until = time.monotonic() + 20
    while Path(f"/proc/{worker}").exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not Path(f"/proc/{worker}").exists()
