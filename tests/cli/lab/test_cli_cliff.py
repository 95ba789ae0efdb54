"""`charlm lab cliff`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_support import Cli

pytestmark = [pytest.mark.train, pytest.mark.usefixtures("elsewhere")]  # matplotlib


def test_the_command(cli: Cli) -> None:
    shown = cli("lab", "cliff", "--steps", "30", "--beginnings", "3")
    assert shown.code == 0
    table, remark = shown.out.split("\n\n")
    assert [line.split("  ")[0] for line in table.splitlines()[1:]] == [
        "not clipped", "norm clipped", "values clipped",
    ]  # fmt: skip
    assert max(map(len, table.splitlines())) <= 80
    assert "thrown" not in remark
    assert "that is not clipped goes at most" in remark
    assert Path("lab-cliff.png").read_bytes().startswith(b"\x89PNG")
    data = json.loads(cli("lab", "cliff", "--steps", "30", "--json").out)
    assert len(data["descents"]) == 30
    assert set(data["arrived"]) == {"not clipped", "norm clipped", "values clipped"}


def test_it_says_so_where_a_descent_is_thrown(cli: Cli) -> None:
    shown = cli("lab", "cliff", "--beginnings", "1", "--seed", "5")
    assert "that is not clipped is thrown 4.12 away in one step" in shown.out


def test_what_it_refuses(cli: Cli) -> None:
    assert "must be above 0" in cli.fails("lab", "cliff", "--lr", "0")
    assert cli.fails("lab", "cliff", "--steps", "0")
    assert cli.fails("lab", "cliff", "--out", "nowhere/a.png")
