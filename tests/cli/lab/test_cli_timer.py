"""`charlm lab timer`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_support import Cli

from charlm.lab import timer

pytestmark = pytest.mark.usefixtures("elsewhere", "one_thread")


def test_the_command(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    given = ("lab", "timer", "--size", "20", "--steps", "2", "--cells", "rnn,lstm")
    shown = cli(*given, "--seeds", "2")
    assert shown.code == 0
    table, remark = shown.out.split("\n\n")
    assert [line.split()[0] for line in table.splitlines()] == ["cell", "rnn", "lstm"]
    assert max(map(len, table.splitlines())) <= 80
    assert "±1 steps" in remark
    assert Path("lab-timer.png").read_bytes().startswith(b"\x89PNG")
    data = json.loads(cli(*given, "--json").out)
    assert data["size"] == 20
    assert [one["cell"] for one in data["trials"]] == ["rnn", "lstm"]
    assert len(data["u2"]) == len(data["trials"][0]["errors"]) == timer.TEST_U2


def test_what_it_refuses(cli: Cli) -> None:
    assert "unknown cell 'clock'" in cli.fails("lab", "timer", "--cells", "clock")
    assert cli.fails("lab", "timer", "--size", "3")
    assert cli.fails("lab", "timer", "--out", "nowhere/a.png")
