"""How a command ends: its exit code, and its error in one line, settings spelled as options."""

from __future__ import annotations

import errno
import os
import re
import sys
from contextlib import suppress

import typer

from ..errors import CharlmError

USER_ERROR, INTERRUPTED, BROKEN_PIPE = 2, 130, 141

SETTING = re.compile("`([a-z][a-z0-9_]*)(?:=([^`]*))?`")  # as the library's messages write it
SPELLED = {  # settings without an option of the same name
    "corpus": "CORPUS",
    "models": "MODEL",
    "arpa_file": "--arpa",
}


def as_options(message: str) -> str:
    """A message of the library with its settings spelled as options.

    `batch_size` becomes --batch-size, `level=byte` --level byte, `tied=True` --tied.
    """
    return SETTING.sub(_as_option, message)


def _as_option(setting: re.Match[str]) -> str:
    name, value = setting.groups()
    option = SPELLED.get(name) or "--" + name.replace("_", "-")
    if value is None or value == "True":
        return option
    if value == "False":
        return option.replace("--", "--no-", 1)
    return f"{option} {value}"


def ending(error: BaseException) -> tuple[int, str] | None:
    """Exit code and message ("" = none) for an exception that ended a command.

    None for a bug, which keeps its traceback.
    """
    if isinstance(error, CharlmError):
        return USER_ERROR, str(error)
    if isinstance(error, KeyboardInterrupt | EOFError | typer.Abort):
        return INTERRUPTED, ""
    if isinstance(error, BrokenPipeError):
        return BROKEN_PIPE, ""
    if hasattr(error, "format_message"):  # a usage error, of click's or of typer's own copy of it
        return USER_ERROR, _usage(error)
    if isinstance(error, OSError) and error.strerror:
        name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
        what = error.strerror
        if name and error.errno in (errno.ENOSPC, errno.EDQUOT):
            what = "the disk is full: free some space there. What was saved before is whole"
        return USER_ERROR, f"{name}{': ' if name else ''}{what}"
    if isinstance(error, MemoryError) or "allocate memory" in str(error):
        return USER_ERROR, "not enough memory: ask for less at a time"
    return None


def flush_stdout() -> None:
    """Flush stdout; if that fails, keep Python's final flush from failing again."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _usage(error: BaseException) -> str:
    message: str = error.format_message().strip()  # type: ignore[attr-defined]
    message = message.replace("Value error, ", "").replace("Input should be", "must be")
    close = getattr(error, "possibilities", None)
    if close:
        choice = " or ".join(sorted(close))
        message = f"{error.message.rstrip('.')}. Did you mean {choice}?"  # type: ignore[attr-defined]
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "charlm"
    return f"{message} (see '{command} --help')"
