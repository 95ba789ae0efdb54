"""Files that the user names: whose they are, and how they are written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from charlm.errors import CharlmError
from charlm.system import output_file


def ours(head: bytes) -> bool:
    return head.startswith(b"ours")


def test_only_files_of_the_same_kind_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out"
    output_file.check(path, ours)
    path.write_text("ours, 1")
    output_file.check(path, ours)
    path.write_text("")
    output_file.check(path, ours)
    path.write_text("a letter")
    with pytest.raises(CharlmError, match=r"out exists.*`force`"):
        output_file.check(path, ours)
    output_file.check(path, ours, force=True)
    assert path.read_text() == "a letter"


def test_the_place_is_checked_whoever_forces(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match=tmp_path.name):
        output_file.check(tmp_path, ours, force=True)
    with pytest.raises(FileNotFoundError, match="no"):
        output_file.check(tmp_path / "no" / "out", ours, force=True)


def test_a_pipe_is_written_to_and_the_target_of_a_link_replaced(tmp_path: Path) -> None:
    pipe, target, link = (tmp_path / name for name in ("pipe", "target", "link"))
    os.mkfifo(pipe)
    output_file.check(pipe, ours)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with output_file.writing(pipe) as file:
        file.write(b"hello")
    assert os.read(reader, 10) == b"hello"
    os.close(reader)
    target.write_text("old")
    link.symlink_to(target)
    with output_file.writing(link) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_the_same_file_by_another_name(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("x")
    (tmp_path / "b").symlink_to(path)
    assert output_file.is_among(tmp_path / "b", [None, "-", tmp_path / "missing", path])
    assert not output_file.is_among(tmp_path / "b", [tmp_path / "missing"])
    assert not output_file.is_among(tmp_path / "c", [path])


def test_a_failure_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("old")

    def fail() -> None:
        with output_file.writing(path) as file:
            file.write(b"half of the new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_dash_is_standard_input_and_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("-").write_text("x")
    assert not output_file.is_among(Path("-"), ["-", None])
    assert output_file.is_among(Path("-"), ["./-"])


def test_a_new_file_is_none_that_is_there_or_read(tmp_path: Path) -> None:
    new, read, folder = tmp_path / "new", tmp_path / "read", tmp_path / "folder"
    read.write_text("x")
    folder.mkdir()
    inputs = [None, "-", read, folder]
    output_file.check_new(new, inputs)
    for force in (False, True):
        with pytest.raises(CharlmError, match="is one of the files to read"):
            output_file.check_new(read, inputs, force=force)
        with pytest.raises(CharlmError, match=r"would lie in .*folder, which is read"):
            output_file.check_new(folder / "new", inputs, force=force)
        with pytest.raises(CharlmError, match="- is standard input"):
            output_file.check_new(Path("-"), [], force=force)
        with pytest.raises(FileNotFoundError, match="nowhere"):
            output_file.check_new(tmp_path / "nowhere" / "new", inputs, force=force)
    output_file.check_new(new, [folder / "x"])  # no folder, so nothing lies in it
    new.write_text("")
    output_file.check_new(new, inputs)  # an empty file holds nothing to lose
    new.write_text("y")
    with pytest.raises(CharlmError, match=r"new exists: .*`force`"):
        output_file.check_new(new, inputs)
    output_file.check_new(new, inputs, force=True)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CharlmError, match="is not a regular file"):
        output_file.check_new(tmp_path / "pipe", inputs, force=True)


def test_what_is_read_may_be_named_like_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A "-" among the inputs is no folder, even where there is one of that name."""
    monkeypatch.chdir(tmp_path)
    Path("-").mkdir()
    output_file.check_new(Path("-/new"), ["-"])
