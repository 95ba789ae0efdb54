"""Directories and patterns stand for the files in them, each a document with its own border."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from charlm.errors import CharlmError
from charlm.text.find_files import corpus_name, find_files
from charlm.text.remarks import left_out
from charlm.text.source import open_text


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files, visible and hidden, in the working directory and below."""
    for name in ("b.txt", "a/z.txt", "a/deep/y.md", "a/.hidden.txt", ".git/x.txt", "c[1].txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name} without an end", "utf-8")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*given: str) -> list[str]:
    return [Path(one).as_posix() for one in find_files(given)]


def test_directories(tree: Path) -> None:
    assert names("a") == ["a/deep/y.md", "a/z.txt"]
    assert names(".") == ["a/deep/y.md", "a/z.txt", "b.txt", "c[1].txt"]
    assert names("b.txt", "a") == ["b.txt", "a/deep/y.md", "a/z.txt"]
    with pytest.raises(CharlmError, match="empty is a directory with no files"):
        find_files(["empty"])


def test_runs_are_no_text(tree: Path) -> None:
    for name in ("runs/latest", "a/run/model.safetensors", "a/run/config.toml", "latest"):
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).write_text("x")
    assert names(".") == ["a/deep/y.md", "a/z.txt", "b.txt", "c[1].txt", "latest"]


def test_patterns(tree: Path) -> None:
    assert names("**/*.txt") == ["a/z.txt", "b.txt", "c[1].txt"]
    assert names("*.txt") == ["b.txt", "c[1].txt"]
    assert names("a/**") == ["a/deep/y.md", "a/z.txt"]
    assert names("?.txt", "b.txt") == ["b.txt", "b.txt"]
    assert names("c[1].txt") == ["c[1].txt"]  # a file of that name goes before what matches
    with pytest.raises(CharlmError, match=r"no file matches \*\.csv\. Check the spelling"):
        find_files(["*.csv"])


def test_other_names_stay(tree: Path) -> None:
    others = ["-", "nowhere", "", "b\0", "x" * 9999, "*" * 9999]
    assert find_files(others) == others
    assert corpus_name("x" * 9999)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_a_directory_that_cannot_be_read(tree: Path) -> None:
    (tree / "a" / "deep").chmod(0)
    with pytest.raises(CharlmError, match="deep cannot be read: Permission denied"):
        find_files(["a"])
    (tree / "a" / "deep").chmod(0o700)


def test_names_of_runs(tree: Path) -> None:
    given = ["-", "b.txt", "x/b.txt.gz", "b.jsonl.zst", "a", "a/", "a/**/*.txt", "a/deep/*", "b"]
    known = ["stdin", "b", "b", "b", "a", "a", "a", "deep", "b"]
    assert [corpus_name(name) for name in given] == known
    assert corpus_name(".") == corpus_name("*.txt") == tree.name


def test_files_do_not_run_together(tree: Path) -> None:
    (tree / "a" / "w.gz").write_bytes(gzip.compress(b"packed"))
    source = open_text(["a"])
    text = "a/deep/y.md without an end\npacked\na/z.txt without an end\n"
    assert "".join(source.chunks()) == text
    assert source.name == "a"
    assert source.left_out == ()


def test_what_is_no_text_in_a_directory_is_left_out(tree: Path) -> None:
    (tree / "a" / "picture.png").write_bytes(b"\x89PNG\0\0")
    (tree / "a" / "packed.gz").write_bytes(gzip.compress(b"\0\1"))
    source = open_text(["a"])
    assert [path.name for path in source.left_out] == ["packed.gz", "picture.png"]
    assert left_out(source) == "a: 2 files that are not text were left out (packed.gz, picture.png)"
    assert "".join(source.chunks()).count("\n") == 2
    for asked in (["a/picture.png"], ["a/*.png"], ["a", "a/picture.png"]):
        with pytest.raises(CharlmError, match=r"picture\.png holds a NUL"):
            list(open_text(asked).chunks())
    only = tree / "only"
    only.mkdir()
    (only / "x.bin").write_bytes(b"\0")
    with pytest.raises(CharlmError, match=r"x\.bin holds a NUL"):
        list(open_text(["only"]).chunks())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_pipes_in_directories_are_not_waited_for(tree: Path) -> None:
    os.mkfifo(tree / "a" / "pipe")
    assert names("a") == ["a/deep/y.md", "a/z.txt"]
