"""Shards of a text are, one after another, the text."""

from __future__ import annotations

import gzip
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm.errors import CharlmError
from charlm.text.shards import Shard, shared
from charlm.text.source import TextSource, lines_of, open_text

TEXTS = st.text(st.sampled_from("a\n\r é云🙂"), min_size=1, max_size=60)


def numbered(source: TextSource, number: int) -> list[tuple[int, str]]:
    """The lines of all shards in order, each with the number that its shard gives it."""
    found: list[tuple[int, str]] = []
    for shard in Shard.all(number):
        with shared(source, shard) as (part, before):
            found += enumerate(lines_of(part), before + 1)
    return found


@given(st.lists(TEXTS, min_size=1, max_size=3), st.integers(1, 9), st.booleans())
@settings(max_examples=150, deadline=None)
def test_shards_are_the_text(texts: list[str], number: int, raw: bool) -> None:
    """Of one file and of several, as characters and as bytes, without a newline at the end."""
    with TemporaryDirectory() as directory:
        paths = [Path(directory) / f"{k}.txt" for k in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_bytes(text.encode())
        source = open_text(paths).for_level("byte" if raw else "char")
        assert numbered(source, number) == list(enumerate(lines_of(source), 1))


@given(TEXTS, st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_shards_of_what_is_read_from_the_beginning(text: str, number: int) -> None:
    """Compressed files and other encodings, whose shards have as many lines, and not bytes."""
    with TemporaryDirectory() as directory:
        packed, wide = Path(directory) / "a.txt.gz", Path(directory) / "a.txt"
        packed.write_bytes(gzip.compress(text.encode()))
        wide.write_bytes(text.encode("utf-16"))
        for source in (open_text([packed]), open_text([wide], "utf-16")):
            assert numbered(source, number) == list(enumerate(lines_of(source), 1))


def test_only_its_own_bytes_are_read_and_no_error_elsewhere_is_met(tmp_path: Path) -> None:
    """And an error says where it is in the file."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"a\n" * 50 + b"\xff\n" + b"b\n" * 49)
    with shared(open_text([path]), Shard(1, 2)) as (part, before):
        assert (list(lines_of(part)), before, part.size) == (["a"] * 50, 0, 100)
    with (
        shared(open_text([path]), Shard(2, 2)) as (part, _),
        pytest.raises(CharlmError, match="byte 100 "),
    ):
        list(lines_of(part))


def test_more_shards_than_lines_leaves_some_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("a long line\nb\n")
    sizes = []
    for shard in Shard.all(5):
        with shared(open_text([path]), shard) as (part, _):
            sizes.append(part.size)
    assert sum(sizes) == path.stat().st_size
    assert sizes.count(0) == 3


def test_records_are_shared_out(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(f'{{"t": "line {k}"}}\n' for k in range(7)))
    source = open_text([path], field="t")
    assert numbered(source, 3) == [(k + 1, f"line {k}") for k in range(7)]


def test_names() -> None:
    assert Shard.parse("3/8") == Shard(3, 8)
    assert [one.name for one in Shard.all(10)][:2] == ["01-of-10", "02-of-10"]
    assert [len(Shard(k, 3).of("abcde")) for k in (1, 2, 3)] == [1, 2, 2]
    for wrong in ("0/8", "9/8", "3", "3/0", "a/b", "3/8/9", "1/100000", "1" * 30 + "/2"):
        with pytest.raises(CharlmError, match="`shard`"):
            Shard.parse(wrong)
