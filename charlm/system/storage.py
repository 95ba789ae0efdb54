"""Atomic file writes: write to a temporary name, fsync, rename."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

DAY = 86_400  # seconds


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
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError) and error.filename in (None, name):  # name the caller's path
            error.filename = str(path)
        raise
    sync_directory(path.parent)


def link(source: Path, target: Path) -> None:
    """Atomically make `target` the file that `source` is now, without copying it where possible."""
    temporary = target.with_name(f".{target.name}.________.tmp")  # as `sweep` knows them
    try:
        with suppress(FileNotFoundError):
            temporary.unlink()
        temporary.hardlink_to(source)
        temporary.replace(target)
        sync_directory(target.parent)
    except OSError:  # a file system without such links
        with suppress(OSError):
            temporary.unlink()
        write_bytes(target, source.read_bytes())


def sweep(path: Path) -> None:
    """Remove what killed processes left half-written of `path`, which nobody else writes to now."""
    for left in path.parent.glob(f".{path.name}.{'?' * 8}.tmp"):
        with suppress(OSError):
            left.unlink()


def sweep_old(paths: Iterable[Path]) -> None:
    """Remove those files and directories that are older than a day: killed processes left them.

    Younger ones may be another process's that is still at work.
    """
    for left in paths:
        with suppress(OSError):
            if time.time() - left.lstat().st_mtime > DAY:
                if left.is_dir() and not left.is_symlink():
                    shutil.rmtree(left)
                else:
                    left.unlink()


@contextmanager
def atomic(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary sibling of `path` for writing; see `replacing`."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        yield cast(BinaryIO, file)


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
