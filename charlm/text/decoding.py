"""What is said of bytes that are not the text they should be."""

from __future__ import annotations

from pathlib import Path

from ..errors import CharlmError


def nul_is_wrong(encoding: str) -> bool:
    """Whether a NUL byte cannot stand in text of this encoding: not so in UTF-16 and UTF-32."""
    return "\n".encode(encoding) == b"\n"


def nul_error(path: Path, at: int) -> CharlmError:
    """The error for a NUL at byte `at` of a text in which there should be none."""
    return CharlmError(
        f"{path} holds a NUL at byte {at:,}: it looks like UTF-16 "
        "or binary. Try `encoding=utf-16`; a model of `level=byte` reads any file."
    )


def undecodable(path: Path, encoding: str, end: int, error: UnicodeError) -> CharlmError:
    """The error for what an incremental decoder met in a block that ended at byte `end`."""
    where = ""
    if isinstance(error, UnicodeDecodeError):
        at = end - len(error.object) + error.start
        where = f" at byte {at:,} (0x{error.object[error.start]:02X})"
    other = "latin-1" if encoding.lower().startswith("utf") else "utf-8"
    return CharlmError(
        f"{path} is not valid {encoding}{where}. "
        f"Try `encoding={other}`, or `errors=replace` to put U+FFFD there."
    )
