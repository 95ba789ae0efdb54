"""The directory of shards: one piece of work, whole files, nothing of anybody else's touched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from charlm.errors import CharlmError
from charlm.tasks.shard_files import ShardFiles, likeness
from charlm.text.shards import Shard


def test_a_file_is_whole_or_absent(tmp_path: Path) -> None:
    files = ShardFiles.opened(tmp_path / "new" / "parts", ".tsv", {"text": "a"})
    shard = Shard(2, 3)

    def lines() -> Iterator[str]:
        yield "one"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        files.write(shard, lines())
    assert sorted(path.name for path in files.directory.iterdir()) == ["checks", "shards.json"]
    files.write(shard, ["é", "two"])
    assert files.path(shard).read_bytes() == "é\ntwo\n".encode()
    assert ShardFiles.opened(files.directory, ".tsv", {"text": "a"}).path(shard).exists()
    files.check(shard)


@pytest.mark.parametrize("damaged", [b"", b"one\n", b"one\ntwo\n\n", b"one\ntwO\n"])
def test_damage_is_noticed(tmp_path: Path, damaged: bytes) -> None:
    files = ShardFiles.opened(tmp_path / "parts", ".tsv", {})
    files.write(Shard(1, 1), ["one", "two"])
    files.path(Shard(1, 1)).write_bytes(damaged)
    with pytest.raises(CharlmError, match=r"1-of-1.tsv is damaged: remove it"):
        files.check(Shard(1, 1))


def test_an_empty_part_is_whole(tmp_path: Path) -> None:
    """An empty part is a file of its own; one that was emptied is not."""
    files = ShardFiles.opened(tmp_path / "parts", ".tsv", {})
    files.write(Shard(1, 1), [])
    files.check(Shard(1, 1))


def test_a_directory_holds_one_piece_of_work(tmp_path: Path) -> None:
    ShardFiles.opened(tmp_path / "a", ".tsv", {"text": "a", "model": "m"})
    with pytest.raises(CharlmError, match=r"something else \(not the same model nor how\)"):
        ShardFiles.opened(tmp_path / "a", ".tsv", {"text": "a", "model": "n", "how": 1})
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "mine.txt").touch()
    (tmp_path / "file").touch()
    with pytest.raises(CharlmError, match="is a file"):
        ShardFiles.opened(tmp_path / "file", ".tsv", {})
    with pytest.raises(CharlmError, match="holds other files"):
        ShardFiles.opened(tmp_path / "b", ".tsv", {})
    (tmp_path / "a" / "shards.json").write_text("[")
    with pytest.raises(CharlmError, match="is damaged"):
        ShardFiles.opened(tmp_path / "a", ".tsv", {"text": "a", "model": "m"})


def test_files_are_told_apart_wherever_they_are(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in "abc"]
    for path, end in zip(paths, "xxy", strict=True):
        path.write_text("long " * 50_000 + end)
    same, again, other = (likeness([path]) for path in paths)
    assert same == again != other
    assert likeness(paths[:1]) != likeness(paths[:2])
