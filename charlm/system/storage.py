"""Atomic file writes: write to a temporary name, fsync, rename."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield the name of an empty temporary sibling of `path` to write to; then fsync and rename it.

    A reader sees either the old file or the complete new one, even after a power failure. On an
    exception the temporary file is removed and `path` is left as it was. Raises OSError.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    except OSError as error:  # name the caller's path, not the temporary one
        raise type(error)(error.errno, error.strerror, str(path)) from None
    temporary = Path(name)
    try:
        try:
            yield temporary
            os.fsync(handle)
        finally:
            os.close(handle)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_directory(path.parent)


@contextmanager
def atomic(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary sibling of `path` for writing; see `replacing`."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        yield cast(BinaryIO, file)


@contextmanager
def output(path: Path) -> Iterator[BinaryIO]:
    """Open for writing a file that the user named.

    The target of a link is replaced, not the link; a device or pipe is written to directly.
    Raises OSError, also as `check_output` does.
    """
    check_output(path)
    target = path.resolve()
    if target.exists() and not target.is_file():
        with target.open("wb") as file:
            yield cast(BinaryIO, file)
    else:
        with atomic(target) as file:
            yield file


def check_output(path: Path) -> None:
    """Raise OSError if `path` is a directory, or lies in a directory that does not exist."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not path.resolve().parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))


def is_among(path: Path, others: Iterable[str | Path | None]) -> bool:
    """Whether `path` is the same file as one of `others`."""
    paths = [Path(other) for other in others if other not in (None, "-")]
    return path.exists() and any(other.exists() and path.samefile(other) for other in paths)


def write_bytes(path: Path, data: bytes) -> None:
    """Atomically replace `path` with `data`."""
    with atomic(path) as file:
        file.write(data)


def write_text(path: Path, text: str) -> None:
    """Atomically replace `path` with `text`, in UTF-8."""
    write_bytes(path, text.encode("utf-8"))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def sync_directory(path: Path) -> None:
    """Make the rename itself durable, where the system allows opening a directory."""
    with suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
