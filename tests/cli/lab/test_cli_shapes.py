"""`charlm lab shapes`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_support import Cli

from charlm.lab.shapes import STEPS

pytestmark = pytest.mark.usefixtures("elsewhere", "one_thread")


def test_the_command(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    given = ("lab", "shapes", "--part", "0.001")
    shown = cli(*given, "--seeds", "2")
    assert shown.code == 0
    lines = shown.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert all(any(line.startswith(name) for line in lines) for name in STEPS)
    assert "reads   Harry Potter and Hermione Granger invented a new spell" in lines
    assert Path("lab-shapes.html").read_text("utf-8").count("<svg") == 9
    data = json.loads(cli(*given, "--json").out)
    assert [one["shape"] for one in data["shapes"]] == list(STEPS)
    assert data["shapes"][0]["steps"] == 1


def test_what_it_refuses(cli: Cli) -> None:
    assert cli.fails("lab", "shapes", "--part", "0")
    assert cli.fails("lab", "shapes", "--out", "nowhere/shapes.html")
