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

from charlm.cli.lab.cell_by_keys import Board, _shown
from charlm.display import fonts
from charlm.lab.cell import Hand

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


@pytest.mark.usefixtures("chinese_font")
def test_in_chinese(cli: Cli) -> None:
    given = ("lab", "cell", "write", "1", "keep", "5", "read")
    plain = cli(*given, "--out", "en.png")
    assert cli(*given, "--lang", "zh", "--page", "zh.html").out == plain.out
    assert Path("lab-cell.png").read_bytes() != Path("en.png").read_bytes()
    assert "遗忘门 f（保持）" in Path("zh.html").read_text("utf-8")


def test_without_a_chinese_font_nothing_is_done(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "CHINESE", ())
    said = cli.fails("lab", "cell", "--lang", "zh")
    assert "--lang zh needs a font with Chinese characters" in said
    assert not Path("lab-cell.png").exists()


def test_where_nothing_is_read_nothing_is_said_of_it(cli: Cli) -> None:
    shown = cli("lab", "cell", "write", "1", "keep", "5")
    assert shown.code == 0
    assert "∂" not in shown.out
    assert json.loads(cli("lab", "cell", "write", "1", "--json").out)["read_at"] is None


def test_many_weights_take_several_tables(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = [k / 10 for k in range(1, 14)]
    given = ("lab", "cell", "--weights", ",".join(map(str, weights)))
    for columns in (80, 44):
        monkeypatch.setenv("COLUMNS", str(columns))
        *tables, _ = cli(*given).out.split("\n\n")
        heads = [table.splitlines()[0] for table in tables]
        assert re.findall(r"w = (\S+)", " ".join(heads)) == [f"{w:g}" for w in weights]
        assert len(tables) > 1
        assert all(table.startswith("steps") for table in tables)
        rows = "\n".join(tables).split("\n(w: ")[0].splitlines()
        assert max(map(len, rows)) <= columns


def test_what_it_refuses(cli: Cli) -> None:
    assert "unknown step" in cli.fails("lab", "cell", "jump")
    assert "numbers separated by commas" in cli.fails("lab", "cell", "--weights", "a")
    assert "--keys needs a terminal" in cli.fails("lab", "cell", "--keys")
    assert "leave STEPS out" in cli.fails("lab", "cell", "clear", "--keys")
    assert "ends in .html, not x.txt" in cli.fails("lab", "cell", "--page", "x.txt")
    Path("mine.html").write_text("my page")
    assert "--force" in cli.fails("lab", "cell", "--page", "mine.html")


def test_a_terminal_shows_each_step(char_model: Path) -> None:
    shown = on_terminal(char_model, "lab", "cell", "write", "4.2", "keep", "2", "read")
    for head in ("step 1 of 4: write", "step 3 of 4: keep", "step 4 of 4: read"):
        assert head in shown
    assert "y 4.20" in shown


def test_of_many_steps_a_hundred_are_shown(char_model: Path) -> None:
    shown = on_terminal(char_model, "lab", "cell", "keep", "10000")
    steps = set(re.findall(r"step ([\d,]+) of 10,000: keep", shown))
    assert len(steps) == 100
    assert "10,000" in steps


def by_keys(model: Path, keys: bytes) -> str:
    """What a terminal shows while keys are pressed."""
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "charlm", "lab", "cell", "--keys", "--noise", "0"]
    surroundings = environment(model, TERM="xterm-256color")
    with subprocess.Popen(
        command, env=surroundings, stdin=child, stdout=child, stderr=child
    ) as process:
        os.close(child)
        written = b""
        while b"q: end" not in written:
            written += os.read(parent, 65536)
        os.write(parent, keys)
        try:
            while block := os.read(parent, 65536):
                written += block
        except OSError:
            pass
        assert process.wait() == 0
    os.close(parent)
    return written.decode("utf-8")


def test_keys_on_a_terminal(char_model: Path) -> None:
    """Write 7, shut the gate, ten steps, read."""
    shown = by_keys(char_model, b"7i i\ro q")
    rows = [line.split() for line in shown.splitlines() if "by hand" in line]
    assert [row[0] for row in rows] == ["1", "2–11", "12"]
    assert rows[0][3:6] == ["1", "1", "0"]
    assert rows[2][5:8] == ["1", "7.00", "7.00"]


def test_while_the_input_gate_is_open_every_step_writes(char_model: Path) -> None:
    shown = by_keys(char_model, b"2i\rq")
    rows = [line.split() for line in shown.splitlines() if "by hand" in line]
    assert [row[6] for row in rows] == [f"{2 * k}.00" for k in range(1, 11)]


def test_no_step_is_no_error(char_model: Path) -> None:
    for end in (b"q", b"\x1b", b"\x04"):
        assert not re.search("error|picture|by hand", by_keys(char_model, end))


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
    assert board.press("q") == -1


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("1.2.3", "1.23"),
        ("1-2", "12"),
        ("0.1234567", "0.123456"),
        ("1000001", "100000"),
        ("-1000000", "-1000000"),
        ("-2000000", "-200000"),
    ],
)
def test_keys_that_make_no_number_are_ignored(typed: str, kept: str) -> None:
    board = Board()
    for key in typed:
        board.press(key)
    assert board.typed == kept


def test_what_arrives_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    board, hand = Board(), Hand()
    for columns in ("80", "40"):
        monkeypatch.setenv("COLUMNS", columns)
        shut = _shown(hand, board).splitlines()
        assert any("x  noise ── i shut" in line or line == "  x noise" for line in shut)
        assert "  x while i is open: 4.2" in shut
        board.press("i")
        opened = "\n".join(_shown(hand, board).splitlines()[:6])
        assert "4.20" in opened
        assert "noise" not in opened
        board.press("i")
        assert max(map(len, shut[:-1])) <= int(columns)
