"""Columns of numbers on disk, written and read in blocks: what passes over the data work on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Keys: TypeAlias = npt.NDArray[np.int64]

PIECE = 1 << 21  # numbers read at a time
ESCAPE = 255  # a packed count of this or more is in the list of large ones


@dataclass(frozen=True)
class Column:
    """Numbers of one type in a file, one after the other."""

    path: Path
    dtype: npt.DTypeLike

    def __len__(self) -> int:
        return self.path.stat().st_size // np.dtype(self.dtype).itemsize

    def read(self, start: int, stop: int) -> Array:
        """The numbers of rows start … stop − 1, (stop − start,)."""
        offset = start * np.dtype(self.dtype).itemsize
        return np.fromfile(self.path, self.dtype, max(0, stop - start), offset=offset)

    def pieces(self) -> Iterator[Array]:
        """All of them, in pieces."""
        for start in range(0, len(self), PIECE):
            yield self.read(start, min(start + PIECE, len(self)))

    def mapped(self) -> Array:
        """All of them, mapped into memory."""
        if not len(self):
            return np.zeros(0, self.dtype)
        return np.asarray(np.memmap(self.path, self.dtype, mode="r"))

    @contextmanager
    def written(self) -> Iterator[Writer]:
        """Write the column anew, from its beginning to its end; it reaches the disk."""
        with self.path.open("wb") as file:
            yield Writer(file, np.dtype(self.dtype))
            file.flush()
            os.fsync(file.fileno())

    def reserve(self, length: int) -> None:
        """Make room for that many numbers, to be written by `put`."""
        with self.path.open("wb") as file:
            file.truncate(length * np.dtype(self.dtype).itemsize)

    def put(self, start: int, values: Array) -> None:
        """Write rows from `start` on, in any order, and in several threads."""
        with self.path.open("r+b", buffering=0) as file:
            file.seek(start * np.dtype(self.dtype).itemsize)
            rest = np.ascontiguousarray(values, self.dtype).data.cast("B")
            while len(rest):
                rest = rest[file.write(rest) :]

    def sync(self) -> None:
        """Wait until what `put` wrote is on the disk."""
        with self.path.open("r+b") as file:
            os.fsync(file.fileno())

    def remove(self) -> None:
        """Remove the file, if it is there."""
        with suppress(FileNotFoundError):
            self.path.unlink()


@dataclass(frozen=True)
class Writer:
    """Appends to a column."""

    file: Any
    dtype: np.dtype[Any]

    def append(self, values: Array) -> None:
        self.file.write(np.ascontiguousarray(values, self.dtype).data)


@dataclass(frozen=True)
class Counts:
    """Counts, most of them small: one byte each, and a list of the large ones."""

    path: Path

    @property
    def small(self) -> Column:
        return Column(self.path, np.uint8)

    @property
    def large(self) -> Column:
        """Row and count of each large one, in turn."""
        return Column(self.path.with_name(f"{self.path.name}.large"), np.int64)

    def read(self, start: int, stop: int) -> Keys:
        """The counts of rows start … stop − 1."""
        counts = self.small.read(start, stop).astype(np.int64)
        large = self.large.mapped().reshape(-1, 2)
        first, last = np.searchsorted(large[:, 0], [start, stop])
        counts[large[first:last, 0] - start] = large[first:last, 1]
        return counts

    @contextmanager
    def written(self) -> Iterator[CountsWriter]:
        """Write all counts anew, from the first to the last."""
        with self.small.written() as small, self.large.written() as large:
            yield CountsWriter(small, large)

    def remove(self) -> None:
        self.small.remove()
        self.large.remove()


@dataclass
class CountsWriter:
    """Appends counts."""

    small: Writer
    large: Writer
    length: int = 0

    def append(self, counts: Keys) -> None:
        rows = np.flatnonzero(counts >= ESCAPE)
        self.small.append(np.minimum(counts, ESCAPE))
        self.large.append(np.stack([rows + self.length, counts[rows]], axis=1))
        self.length += len(counts)
