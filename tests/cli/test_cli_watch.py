"""`charlm watch` on a terminal."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cli_support import Cli, environment

from charlm.cli.show import cells
from charlm.cli.watch import MAX_TEXT, _typed, _view
from charlm.tasks.next_tokens import NextToken, NextTokens
from charlm.tasks.watch import Glance


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
    assert _typed("ab", "\t") == "ab\t"
    assert _typed("ab", "\x01\x02") == "ab"
    assert _typed("ab", "猫cd\x7fe\n") == "ab猫ce\n"


def test_of_a_long_text_the_last_is_kept() -> None:
    full = "a" * MAX_TEXT
    assert _typed("", full) == full
    for key in "b\n":
        assert _typed(full, key) == full[: MAX_TEXT // 2 - 1] + key
    assert _typed("", "x" * 3 * MAX_TEXT) == "x" * (MAX_TEXT // 2)


def test_what_is_pasted_is_drawn_together(char_model: Path) -> None:
    shown = watched(char_model, b"the cat\tsat\n" * 300 + b"\x1b")
    assert shown.count("Esc: end") < 30
    assert "cat␉<UNK>sat↵the cat" in shown
    assert "␊" not in shown


def glance_at(text: str, units: int = 12, unfinished: str = "") -> Glance:
    following = NextTokens([NextToken(f"word{k}", -k - 1.0) for k in range(8)], 3.0)
    values = np.linspace(-1, 1, units, dtype=np.float32)
    found = {(0, what): abs(values) if what in "ifo" else values for what in "hcifo"}
    return Glance(tuple(text), (2.0,) * len(text), unfinished, following, found)


@pytest.mark.parametrize("columns", [80, 40])
@pytest.mark.parametrize("unfinished", ["", "猫" * 70])
def test_the_terminal_is_filled_and_not_more(
    columns: int, unfinished: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for high in (24, 40):
        monkeypatch.setenv("LINES", str(high))
        lines = _view(glance_at("ab\n" * 1000, 200, unfinished), 0).plain.split("\n")
        assert len(lines) == high - 1
        assert max(map(cells, lines)) <= columns
        assert len([line for line in lines if "word" in line]) == 8
        assert [line[-1] for line in lines if line.startswith(("state", "input"))] == ["…"] * 2
        text = "\n".join(lines).split("\n\n")[1].splitlines()
        assert all(columns - 2 <= cells(line) <= columns for line in text[:-1])
        assert text[-1].endswith("█")


def test_few_units_are_shown_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    for units in (12, 22, 23):
        assert ("…" in _view(glance_at("ab", units), 0).plain) == (units > 22)


def test_what_it_refuses(cli: Cli) -> None:
    assert cli.fails("watch") == "charlm watch needs a terminal"
    assert "layer 1 is not there: the network has 1 layer" in cli.fails("watch", "--layer", "1")
    assert "there is no model" in cli.fails("watch", "nowhere")
