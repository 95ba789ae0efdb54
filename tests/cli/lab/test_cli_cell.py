"""`charlm lab cell`: by words, on a terminal, and by keys."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from browser import check_self_contained
from cli_support import Cli, environment, on_terminal

from charlm.cli.lab.cell_by_keys import Board

pytestmark = [pytest.mark.train, pytest.mark.usefixtures("elsewhere")]  # matplotlib


def test_the_command(cli: Cli) -> None:
    shown = cli("lab", "cell", "--page", "cell.html")
    assert shown.code == 0
    table, remark = shown.out.split("\n\n")
    assert max(map(len, table.splitlines())) <= 80
    assert re.search(r"^202 +read +0 +1 +1 +4.20 +4.20", table, re.MULTILINE)
    assert "∂c_202/∂c_1 = 1.00" in remark
    assert Path("lab-cell.png").read_bytes().startswith(b"\x89PNG")
    html = Path("cell.html").read_text("utf-8")
    check_self_contained(html)
    assert "2–201" in html
    own = ("write", "1", "keep", "5", "read")
    data = json.loads(cli("lab", "cell", *own, "--weights", "2", "--json").out)
    assert data["read_at"] == 7
    assert data["cell_gradient"] == [1.0] * 7
    assert len(data["rnn_gradients"]) == 1


def test_what_it_refuses(cli: Cli) -> None:
    assert "unknown step" in cli.fails("lab", "cell", "jump")
    assert "numbers separated by commas" in cli.fails("lab", "cell", "--weights", "a")
    assert "--keys needs a terminal" in cli.fails("lab", "cell", "--keys")
    assert "leave STEPS out" in cli.fails("lab", "cell", "clear", "--keys")
    Path("mine.html").write_text("my page")
    assert "--force" in cli.fails("lab", "cell", "--page", "mine.html")


def test_a_terminal_shows_each_step(char_model: Path) -> None:
    shown = on_terminal(char_model, "lab", "cell", "write", "4.2", "keep", "2", "read")
    for head in ("step 1 of 4: write", "step 3 of 4: keep", "step 4 of 4: read"):
        assert head in shown
    assert "y 4.20" in shown


def test_keys_on_a_terminal(char_model: Path) -> None:
    """Write 7, shut the gate, ten steps, read."""
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "charlm", "lab", "cell", "--keys", "--noise", "0"]
    surroundings = environment(char_model, TERM="xterm-256color")
    with subprocess.Popen(command, env=surroundings, stdin=child, stdout=child, stderr=child):
        os.close(child)
        written = b""
        while b"q: end" not in written:
            written += os.read(parent, 65536)
        os.write(parent, b"7i i\ro q")
        try:
            while block := os.read(parent, 65536):
                written += block
        except OSError:
            pass
    os.close(parent)
    rows = [line.split() for line in written.decode("utf-8").splitlines() if "by hand" in line]
    assert [row[0] for row in rows] == ["1", "2–11", "12"]
    assert rows[0][3:6] == ["1", "1", "0"]
    assert rows[2][5:8] == ["1", "7.00", "7.00"]


def test_the_board() -> None:
    board = Board()
    assert board.x == 4.2
    for key in "-3.5\x7f4":
        assert board.press(key) == 0
    assert board.x == -3.4
    assert board.press(" ") == 1
    assert board.press("9") == 0
    assert board.x == 9  # a step ends a number
    assert board.press("\r") == 10
    assert board.press("-") == 0
    assert board.x == 0
    assert board.press("?") == 0
    for key in ("q", "\x04", "\x1b", ""):
        assert Board().press(key) == -1
