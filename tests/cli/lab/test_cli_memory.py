"""`charlm lab memory`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_support import Cli

from charlm.lab import counter


def test_the_command(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(counter, "MAX_STEPS", 3)
    monkeypatch.setattr(counter, "MAX_TESTED", 22)
    given = (
        *("lab", "memory", "--cells", "rnn,gru", "--lags", "2,6"),
        *("--steps", "3", "--seeds", "2", "--hidden", "8"),
    )
    shown = cli(*given)
    assert shown.code == 0
    assert "chrono" in shown.out
    assert max(map(len, shown.out.splitlines()[:10])) <= 80
    assert Path("lab-memory.png").read_bytes().startswith(b"\x89PNG")
    data = json.loads(cli(*given, "--json").out)
    assert [one["model"] for one in data["recall"]] == ["rnn", "gru", "2-gram", "3-gram", "5-gram"]
    assert len(data["counting"][0]["reach"]) == 2
    for wrong in (["--lags", "x"], ["--lags", "²"], ["--lags", ""], ["--seed", "9" * 30]):
        assert cli.fails("lab", "memory", *wrong)
    assert cli.fails("lab", "memory", "--cells", "x")
    assert cli.fails("lab", "memory", "--out", tmp_path)
