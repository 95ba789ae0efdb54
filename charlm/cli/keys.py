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

END = re.compile("\x04|\x1b")  # Ctrl-D, Escape
SEQUENCE = re.compile(r"\x1b(\[[\d;?]*[@-~]|O.|[^\x1b])")  # arrows, function keys, Alt and a letter
READ_BYTES = 4096  # at a time: more than one where text is pasted


@contextmanager
def pressed_keys(verb: str) -> Iterator[Iterator[str]]:
    """Yield an iterator over what is typed: all characters that have come since the last ones.

    Arrows and the like are left out. Escape, Ctrl-D and the end of input end it.

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
        yield _blocks(sys.stdin.fileno())
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _blocks(file: int) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while block := os.read(file, READ_BYTES):
        keys, *ended = END.split(SEQUENCE.sub("", decoder.decode(block)), maxsplit=1)
        if keys:
            yield keys
        if ended:
            return
