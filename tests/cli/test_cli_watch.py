"""`charlm watch` on a terminal."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cli_support import Cli, environment

from charlm.cli.watch import _typed


def watched(model: Path, typed: bytes, *args: str) -> str:
    """What a terminal of 80 columns shows while keys are pressed, without its colours."""
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "charlm", "watch", *args]
    surroundings = environment(model, TERM="xterm-256color")
    with subprocess.Popen(
        command, env=surroundings, stdin=child, stdout=child, stderr=child
    ) as process:
        os.close(child)
        written = b""
        while b"Esc: end" not in written:
            written += os.read(parent, 65536)
        os.write(parent, typed)
        try:
            while block := os.read(parent, 65536):
                written += block
        except OSError:  # the other side is closed
            pass
        assert process.wait() == 0
    os.close(parent)
    return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", written.decode("utf-8"))


def test_every_key_is_seen(char_model: Path) -> None:
    shown = watched(char_model, b"the\x1b", "--top-k", "3")
    *_, last = shown.split("Esc: end")
    assert "the" in last
    assert re.search(r"e: [\d.]+ bits · text: [\d.]+ bits, [\d.]+ a token", last)
    for name in ("state", "memory", "input gate", "forget gate", "output gate"):
        assert name in last
    assert len(re.findall(r"\d+\.\d\d%", last)) == 3
    assert max(len(line) for line in last.splitlines()) <= 80


def test_the_end_of_input_ends_it(char_model: Path) -> None:
    assert "entropy of the next token" in watched(char_model, b"\x04")


def test_keys_that_are_no_letters() -> None:
    assert _typed("ab", "\x7f") == "a"
    assert _typed("", "\x7f") == ""
    assert _typed("ab", "\x15") == ""
    assert _typed("ab", "\r") == "ab\n"
    assert _typed("ab", "\t") == "ab"
    assert _typed("ab", "猫") == "ab猫"


def test_what_it_refuses(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli.fails("watch") == "charlm watch needs a terminal"
    assert "layers are 0 to 0" in cli.fails("watch", "--layer", "1")
    assert "there is no model" in cli.fails("watch", "nowhere")
