"""Who may write to a directory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from charlm.system import lock

fcntl = pytest.importorskip("fcntl", reason="this system has no such locks")

HOLD = """
import sys
from pathlib import Path
from charlm.system import lock
with lock.held(Path(sys.argv[1])) as mine:
    print(mine, flush=True)
    sys.stdin.read()
"""


def test_only_one_holds_it_until_it_lets_go(tmp_path: Path) -> None:
    with lock.held(tmp_path) as first:
        with lock.held(tmp_path) as second:
            assert (first, second) == (True, False)
        with lock.held(tmp_path) as third:
            assert not third
    with lock.held(tmp_path) as again:
        assert again
    assert not list(tmp_path.iterdir())


def test_a_killed_process_lets_go(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        assert other.stdout.readline() == b"True\n"
        with lock.held(tmp_path) as mine:
            assert not mine
        other.kill()
        other.wait()
    with lock.held(tmp_path) as mine:
        assert mine


def test_a_directory_that_was_replaced_meanwhile_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "run"
    directory.mkdir()
    locked = fcntl.flock

    def replaced_first(handle: int, how: int) -> None:
        directory.rename(tmp_path / "old")
        directory.mkdir()
        locked(handle, how)

    monkeypatch.setattr(fcntl, "flock", replaced_first)
    with lock.held(directory) as mine:
        assert not mine


def test_without_locks_it_is_always_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no locks here")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with lock.held(tmp_path) as mine:
        assert mine
    monkeypatch.setattr(lock, "fcntl", None)
    with lock.held(tmp_path) as first, lock.held(tmp_path) as second:
        assert first
        assert second


def test_what_is_no_directory_cannot_be_held(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("file", "missing"):
        with pytest.raises(OSError, match=name), lock.held(tmp_path / name):
            pass
