"""`charlm lab depth`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_support import Cli

pytestmark = pytest.mark.usefixtures("elsewhere", "one_thread")


def test_the_command(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    given = ("lab", "depth", "--steps", "40", "--seeds", "3")
    shown = cli(*given)
    assert shown.code == 0
    lines = shown.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line[:9] for line in lines[4:7]] == ["machine 1", "machine 2", "machine 3"]
    assert any(line.startswith("learned ") for line in lines)
    assert Path("lab-depth.png").read_bytes().startswith(b"\x89PNG")
    data = json.loads(cli("lab", "depth", "--steps", "40", "--seeds", "1", "--json").out)
    assert [one["network"] for one in data["networks"]][-1] == "3 layers"


def test_what_it_refuses(cli: Cli) -> None:
    assert "unknown cell" in cli.fails("lab", "depth", "--cell", "clock")
    assert cli.fails("lab", "depth", "--steps", "3")
