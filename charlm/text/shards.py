"""Shards: shares of a text for several jobs, contiguous and of whole lines.

All of them, one after another, are the text. In plain files of UTF-8 they have as many bytes, and
none reads more of the file than its own part and, to number its lines, what stands before; of
compressed files, records, and other encodings, which have to be read from the beginning, as many
lines, unpacked into a temporary file.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Self, TypeVar

from ..errors import CharlmError, require
from .source import TextSource, lines_of, temporary_spool
from .unpack import Stream, is_compressed

Item = TypeVar("Item")

NAMED = re.compile(r"(\d+)/(\d+)")
MAX_SHARDS = 99_999
BLOCK_BYTES = 1 << 20  # read at a time to count lines
LONGEST_LINE = 1 << 27  # characters, of what is unpacked


@dataclass(frozen=True, order=True)
class Shard:
    """Number `index`, counted from 1, of `number` shards."""

    index: int
    number: int

    def __post_init__(self) -> None:
        require(
            1 <= self.index <= self.number <= MAX_SHARDS,
            f"`shard` must be from 1/N to N/N, N at most {MAX_SHARDS:,}, not {self}",
        )

    def __str__(self) -> str:
        return f"{self.index}/{self.number}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The shard that "3/8" names. Raises CharlmError for anything else."""
        match = NAMED.fullmatch(text.strip())
        if match is None or len(text) > 20:
            raise CharlmError(f"`shard` takes a number and how many there are, 3/8, not {text!r}")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def all(cls, number: int) -> list[Self]:
        """All of so many."""
        return [cls(index, number) for index in range(1, number + 1)]

    @property
    def name(self) -> str:
        """For a file: such that they sort in order."""
        return f"{self.index:0{len(str(self.number))}}-of-{self.number}"

    def bounds(self, size: int) -> tuple[int, int]:
        """Where its share of `size` things begins and ends."""
        return size * (self.index - 1) // self.number, size * self.index // self.number

    def of(self, items: Sequence[Item]) -> Sequence[Item]:
        """Its share of a sequence."""
        first, last = self.bounds(len(items))
        return items[first:last]


@contextmanager
def shared(source: TextSource, shard: Shard) -> Iterator[tuple[TextSource, int]]:
    """The shard of a text, to be read meanwhile, and the number of lines before it.

    Raises CharlmError as reading the text does.
    """
    if _is_plain(source):
        yield _Part.of(source, shard)
        return
    first, last = shard.bounds(sum(1 for _ in lines_of(source, LONGEST_LINE)))
    with temporary_spool() as directory:
        path = directory / "shard.txt"
        with path.open("w", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            for line in islice(lines_of(source, LONGEST_LINE), first, last):
                file.write(f"{line}\n")
        copy = TextSource((path,), "utf-8", "surrogateescape", raw=True, name=source.name)
        yield copy, first


def _is_plain(source: TextSource) -> bool:
    """Whether the bytes of the files are its lines, of which any can be read by itself."""
    if codecs.lookup(source.encoding).name not in ("utf-8", "ascii"):
        return False
    return not any(source._format(path) or is_compressed(path) for path in source.paths)


@dataclass(frozen=True)
class _Part(TextSource):
    """What stands in its files from one byte to another."""

    parts: Mapping[Path, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, source: TextSource, shard: Shard) -> tuple[_Part, int]:
        """A shard: the lines that begin in its share of the bytes; and how many stand before."""
        begin, end = shard.bounds(source.size)
        parts, lines, at = {}, 0, 0
        for path in source.paths:
            size = path.stat().st_size
            with path.open("rb") as file:
                first, last = (_line_start(file, place - at, size) for place in (begin, end))
                if first < last:
                    parts[path] = first, last
                lines += _count_lines(file, first, size)
            at += size
        shown = {one.name: getattr(source, one.name) for one in fields(TextSource)}
        return cls(**shown | {"paths": tuple(parts), "_sizes": {}}, parts=parts), lines

    @contextmanager
    def _open(self, path: Path) -> Iterator[Stream]:
        with path.open("rb") as file:
            yield _Between(file, *self.parts[path])

    def _size(self, path: Path) -> int:
        first, last = self.parts[path]
        return last - first

    def _first(self, path: Path) -> int:
        return self.parts[path][0]


class _Between:
    """The bytes of a file from one place to another, as a stream."""

    def __init__(self, file: BinaryIO, first: int, last: int) -> None:
        self._file, self._last = file, last
        file.seek(first)
        self.tell = file.tell

    def read(self, size: int, /) -> bytes:
        return self._file.read(min(size, self._last - self._file.tell()))


def _line_start(file: BinaryIO, place: int, size: int) -> int:
    """Where the first line begins that does so at `place` or after it; the end if none does."""
    if place <= 0:
        return 0
    if place >= size:
        return size
    file.seek(place - 1)
    while block := file.read(BLOCK_BYTES):
        if b"\n" in block:
            return file.tell() - len(block) + block.index(b"\n") + 1
    return size


def _count_lines(file: BinaryIO, end: int, size: int) -> int:
    """The lines that begin before `end`, at which one begins or the file ends."""
    file.seek(0)
    lines, last = 0, b"\n"
    while block := file.read(min(BLOCK_BYTES, end - file.tell())):
        lines += block.count(b"\n")
        last = block[-1:]
    return lines + (end == size and last != b"\n")
