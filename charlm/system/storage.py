"""Files that are whole or not there: write to a temporary name, flush, rename."""

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
    """The name of an empty temporary sibling of `path` to be written to, then fsynced and renamed.

    A reader sees the old file or the whole new one, whenever the power fails. On an exception
    the temporary file is removed and `path` is as it was. Raises OSError as the disk does.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    except OSError as error:  # in the words of who asked, who knows nothing of temporary names
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
    """Open for writing a file that the user named, wherever it leads.

    What a link leads to is replaced, not the link; a device or pipe is written to as it is.
    Raises OSError as the disk does, and as `check_output`.
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
    """Raise OSError for a directory, and for a file in a directory that is not there."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not path.resolve().parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))


def is_among(path: Path, others: Iterable[str | Path | None]) -> bool:
    """Whether one of `others` is the same file."""
    paths = [Path(other) for other in others if other not in (None, "-")]
    return path.exists() and any(other.exists() and path.samefile(other) for other in paths)


def write_bytes(path: Path, data: bytes) -> None:
    """Replace `path` by `data`, whole or not at all."""
    with atomic(path) as file:
        file.write(data)


def write_text(path: Path, text: str) -> None:
    """Replace `path` by UTF-8 `text`, whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def sync_directory(path: Path) -> None:
    """Make the rename itself durable, where the system lets a directory be opened."""
    with suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
