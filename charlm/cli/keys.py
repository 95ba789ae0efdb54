"""Keys as they are pressed on a terminal."""

from __future__ import annotations

import codecs
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import CharlmError
from .show import is_terminal

ESCAPE = "\x1b"
END = ("\x04", ESCAPE, "")  # Ctrl-D, Escape, and the end of all input
SEQUENCE = re.compile(r"\x1b(\[[\d;?]*[@-~]|O.|[^\x1b])")  # arrows, function keys, Alt and a letter
READ_BYTES = 4096  # at a time: more than one where text is pasted


@contextmanager
def pressed_keys(verb: str) -> Iterator[Iterator[str]]:
    """Yield an iterator over characters, "" at the end of input; arrows and the like are left out.

    Raises CharlmError where stdin or stdout is no terminal; `verb` is what needs one.
    """
    if not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        raise CharlmError(f"{verb} needs a terminal")
    try:
        import termios
        import tty
    except ImportError:  # Windows
        raise CharlmError(f"{verb} needs a Unix terminal") from None
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        yield _characters(sys.stdin.fileno())
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _characters(file: int) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while block := os.read(file, READ_BYTES):
        yield from SEQUENCE.sub("", decoder.decode(block))
    yield ""
