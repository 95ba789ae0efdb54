"""What can be read only once, such as standard input, kept under a name made of its content."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from ..errors import CharlmError
from ..system import storage
from .records import named_suffix

BLOCK_BYTES = 1 << 16  # copied at a time


def readable(name: str, spool: Path, piped: str) -> Path:
    """The file of this name, or a copy that ends in `piped` of what can be read only once."""
    if name == "-":
        if sys.stdin is None:
            raise CharlmError("stdin is closed: name a file, or pipe some text in.")
        return _spool(sys.stdin.buffer, spool, piped)
    if not name:
        raise CharlmError("a file name is empty. Name a file, or - for standard input.")
    path = Path(name)
    try:
        with path.open("rb") as file:
            if path.is_file():
                return path
            return _spool(file, spool, named_suffix(name) or piped)
    except FileNotFoundError:
        raise CharlmError(f"{name} does not exist. Check the spelling and the directory.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CharlmError(f"{name} cannot be read: {reason}. Check its permissions.") from None


def _spool(file: BinaryIO, spool: Path, suffix: str) -> Path:
    """Copy a stream to `spool`/<sha256><suffix> and return that path.

    The suffix of Parquet is that of what begins as Parquet does.
    """
    temporary = None
    try:
        spool.mkdir(parents=True, exist_ok=True)
        storage.sweep_old(spool.glob("*.tmp"))
        digest = hashlib.sha256()
        handle, temporary = tempfile.mkstemp(dir=spool, suffix=".tmp")
        with os.fdopen(handle, "wb") as copy:
            while block := file.read(BLOCK_BYTES):
                suffix = ".parquet" if not copy.tell() and block[:4] == b"PAR1" else suffix
                digest.update(block)
                copy.write(block)
        path = spool / f"{digest.hexdigest()}{suffix}"
        Path(temporary).replace(path)
        return path
    except OSError as error:
        raise CharlmError(
            f"cannot copy standard input to {spool}: {error.strerror}. Free some space there."
        ) from None
    finally:
        if temporary:
            with suppress(OSError):
                Path(temporary).unlink()
