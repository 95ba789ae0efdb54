"""`charlm lab start`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_support import Cli

from charlm.lab import echo

pytestmark = pytest.mark.usefixtures("elsewhere", "one_thread")


def test_the_command(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(echo, "TRAIN_SENTENCES", 50)
    given = ("lab", "start", "--lag", "3", "--steps", "2")
    shown = cli(*given, "--seeds", "3")
    assert shown.code == 0
    *tables, remarks = shown.out.split("\n\n")
    firsts = [[line.split()[0] for line in table.splitlines()[1:]] for table in tables]
    assert firsts == [
        ["start", "small", "uniform", "identity", "orthogonal", "LSTM", "LSTM"],
        ["way", "SGD", "momentum", "Adam", "Hessian-free"],
        ["radius", "lag", "lag", "lag"],
    ]
    assert max(len(line) for table in tables for line in table.splitlines()) <= 80
    assert "Echo state network, best radii: lag 3, " in remarks
    assert Path("lab-start.png").read_bytes().startswith(b"\x89PNG")
    data = json.loads(cli(*given, "--seeds", "1", "--seed", "7", "--json").out)
    assert data["lag"] == 3
    assert data["seeds"] == [7]
    assert len(data["starts"]) == 6
    assert [one["way"] for one in data["ways"]] == ["SGD", "momentum", "Adam", "Hessian-free"]


def test_what_it_refuses(cli: Cli) -> None:
    assert cli.fails("lab", "start", "--lag", "1")
    assert cli.fails("lab", "start", "--steps", "0")
    assert "--lr must be above 0" in cli.fails("lab", "start", "--lr", "nan")
    assert cli.fails("lab", "start", "--out", "nowhere/a.png")
