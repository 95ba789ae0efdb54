"""Files are whole or not there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from charlm.system import storage


def test_replaces_whole_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    storage.write_text(path, "old")
    storage.write_text(path, "neu €")
    assert path.read_text("utf-8") == "neu €"
    assert list(tmp_path.iterdir()) == [path]
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


def test_a_failure_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    storage.write_text(path, "old")

    def fail_midway() -> None:
        with storage.atomic(path) as file:
            file.write(b"new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_midway()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_full_disk_keeps_the_old_file(tmp_path: Path) -> None:
    class FullDiskError(OSError):
        pass

    path = tmp_path / "file"
    storage.write_bytes(path, b"old")

    def fsync(_: int) -> None:
        raise FullDiskError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(FullDiskError):
            storage.write_bytes(path, b"new" * 1000)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
