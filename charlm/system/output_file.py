"""Files that the user names for results: checked before the work, replaced as a whole after it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from ..errors import CharlmError
from .storage import atomic

HEAD_BYTES = 4096  # by which a file is recognised


def check(path: Path, is_ours: Callable[[bytes], bool], *, force: bool = False) -> None:
    """Raise CharlmError if `path` is a file that charlm did not write, unless `force`.

    is_ours: whether charlm writes files that begin with these bytes. An empty file is nobody's.
    Raises OSError if `path` is a directory, or lies in one that does not exist.
    """
    if str(path) == "-":
        raise CharlmError("- is standard output: name a file to write to")
    _check_place(path)
    if force or not path.is_file():
        return
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if head and not is_ours(head):
        raise CharlmError(
            f"{path} exists, and is not a file that this command writes: name another one, or add "
            "`force` to replace it"
        )


def check_new(path: Path, read: Iterable[str | Path | None], *, force: bool = False) -> None:
    """Raise CharlmError if `path` cannot be a new file: it is one of those to be `read`, lies in a
    directory that is read, is no regular file, or exists. Only the last is allowed with `force`.

    Raises OSError as `check` does.
    """
    read = [one for one in read if one not in (None, "-")]
    if str(path) == "-":
        raise CharlmError("- is standard input: name a file to write to")
    _check_place(path)
    check_apart(path, read)
    for one in read:
        if Path(str(one)).is_dir() and path.resolve().is_relative_to(Path(str(one)).resolve()):
            raise CharlmError(f"{path} would lie in {one}, which is read: name another place")
    if path.exists() and not path.is_file():
        raise CharlmError(f"{path} is not a regular file: name another one")
    if path.is_file() and path.stat().st_size and not force:
        raise CharlmError(f"{path} exists: name another file, or add `force` to replace it")


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """Open the file for writing.

    The target of a link is replaced, not the link; a device or pipe is written to directly.
    Raises OSError.
    """
    _check_place(path)
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield cast(BinaryIO, file)
    else:
        with atomic(path.resolve()) as file:
            yield file


def check_apart(path: Path, read: Iterable[str | Path | None]) -> None:
    """Raise CharlmError if `path` is one of the files to be read."""
    if is_among(path, read):
        raise CharlmError(f"{path} is one of the files to read: name another one")


def is_among(path: Path, others: Iterable[str | Path | None]) -> bool:
    """Whether `path` is the same file as one of `others`."""
    paths = [Path(other) for other in others if other not in (None, "-")]
    return path.exists() and any(other.exists() and path.samefile(other) for other in paths)


def _check_place(path: Path) -> None:
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not (path.exists() or path.resolve().parent.is_dir()):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))
