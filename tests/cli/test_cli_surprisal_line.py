"""Tokens on a background by surprisal, on terminals that show colours."""

from __future__ import annotations

import re
from pathlib import Path

from cli_support import on_terminal

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def test_tokens_stand_on_a_background_by_surprisal(model: Path) -> None:
    shown = on_terminal(model, "score", "--tokens", "a pear")
    assert shown.count("\x1b[") > 5
    assert re.search(r"\x1b\[[^m]*48;5;\d+m", shown)
    plain = on_terminal(model, "score", "--tokens", "a pear", NO_COLOR="1")
    assert "48;5" not in plain
    assert ESCAPES.sub("", plain).splitlines()[0].split()[0] == "token"
