"""`charlm complete` and `charlm next`."""

from __future__ import annotations

import json

from cli_support import Cli, on_terminal


def test_commands(cli: Cli) -> None:
    found = json.loads(cli("complete", "the cats", "--max-tokens", "12", "--json").out)
    assert 1 <= len(found) <= 3
    assert all(one["full_text"].startswith("the cats") for one in found)
    shown = cli("complete", "the cats", "--max-tokens", "12")
    assert shown.code == 0
    assert "the cats" in shown.out
    chart = cli("next", "the c", "--top-k", "4")
    assert len(chart.out.splitlines()) == 5
    assert "entropy" in chart.out
    record = json.loads(cli("next", "the c", "--top-k", "4", "--json").out)
    assert len(record["next"]) == 4
    assert "beam" in cli.fails("complete", "a", "--beam", "0")


def test_next_fits_a_terminal(cli: Cli) -> None:
    assert cli.model is not None
    for columns in (80, 40):
        written = on_terminal(cli.model, "next", "the c", columns=columns)
        assert "█" in written
        lines = written.splitlines()
        assert all(len(line) <= columns for line in lines[:15])
