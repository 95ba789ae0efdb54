"""Files are whole or not there."""

from __future__ import annotations

import os
import stat
import time
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


def test_who_reads_the_old_file_goes_on_reading_it(tmp_path: Path) -> None:
    """A new file takes the name; the old one's bytes are not written over."""
    path = tmp_path / "file"
    storage.write_text(path, "old")
    with path.open() as reader:
        storage.write_text(path, "new and longer")
        assert reader.read() == "old"
    assert path.read_text() == "new and longer"


def test_the_name_itself_reaches_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The data before the rename, the directory after it."""
    path, synced = tmp_path / "file", []
    real = os.fsync

    def fsync(handle: int) -> None:
        synced.append((stat.S_ISDIR(os.fstat(handle).st_mode), path.exists()))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    storage.write_text(path, "x")
    assert synced == [(False, False), (True, True)]


def test_a_link_shares_the_file_until_one_is_replaced(tmp_path: Path) -> None:
    source, target = tmp_path / "a", tmp_path / "b"
    storage.write_text(source, "one")
    storage.write_text(target, "zero")
    storage.link(source, target)
    assert target.read_text() == "one"
    storage.write_text(source, "two")
    assert target.read_text() == "one"
    assert sorted(tmp_path.iterdir()) == [source, target]


def test_without_links_the_file_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(self: Path, _: Path) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    source, target = tmp_path / "a", tmp_path / "b"
    storage.write_text(source, "one")
    storage.link(source, target)
    assert target.read_text() == "one"
    assert sorted(tmp_path.iterdir()) == [source, target]


def test_what_killed_processes_left_is_swept(tmp_path: Path) -> None:
    path = tmp_path / "file"
    left, others = tmp_path / ".file.abcd_123.tmp", tmp_path / ".other.abcd_123.tmp"
    for one in (path, left, others):
        one.write_text("x")
    storage.sweep(path)
    assert sorted(tmp_path.iterdir()) == sorted([others, path])


def test_what_was_left_is_swept_a_day_later(tmp_path: Path) -> None:
    names = ("file", "link", "directory")
    old, new = [tmp_path / f"old-{n}" for n in names], [tmp_path / f"new-{n}" for n in names]
    for file, link, directory in (old, new):
        file.write_text("x")
        link.symlink_to("nowhere")
        directory.mkdir()
        (directory / "inside").write_text("x")
    for one in old:
        os.utime(one, (time.time() - 90_000,) * 2, follow_symlinks=False)
    storage.sweep_old([*old, *new, tmp_path / "missing"])
    assert sorted(tmp_path.iterdir()) == sorted(new)


def test_the_temporary_file_is_a_sibling_that_a_sweep_would_find(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with storage.replacing(path) as temporary:
        assert temporary.parent == tmp_path  # a file is renamed only within a file system
        temporary.write_text("x")
        storage.sweep(path)
        assert not temporary.exists()
        temporary.write_text("x")


@pytest.mark.parametrize(
    ("named", "told"), [("temporary", "file"), ("nothing", "file"), ("other", "other")]
)
def test_errors_name_the_callers_file(tmp_path: Path, named: str, told: str) -> None:
    def fail() -> None:
        with storage.replacing(tmp_path / "file") as temporary:
            names = {"temporary": str(temporary), "nothing": None, "other": str(tmp_path / "other")}
            raise OSError(28, "full", names[named])

    with pytest.raises(OSError, match="full") as caught:
        fail()
    assert caught.value.filename == str(tmp_path / told)
