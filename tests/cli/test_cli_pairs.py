"""`charlm pairs`."""

from __future__ import annotations

import json
from pathlib import Path

from cli_support import Cli

from charlm.tasks.pairs import Pair

PAIRS = [
    Pair("the cat was full", "the cat were full", "agreement"),
    Pair("a b c", "a d c", "letters"),
    Pair("abc", "abc", "letters"),
    Pair("the cats sat on the mat", "the cats on the mat sat", "order"),
]


def test_command(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "pairs.tsv"
    file.write_text("".join(f"{p.good}\t{p.bad}\t{p.phenomenon}\n" for p in PAIRS))
    shown = cli("pairs", file)
    assert shown.code == 0
    rows = [line.split() for line in shown.out.splitlines()]
    assert [row[0] for row in rows[1:5]] == ["agreement", "letters", "order", "all"]
    found = json.loads(cli("pairs", file, "--json").out)
    assert found["overall"]["pairs"] == 4
    assert found["overall"]["ties"] == 1
    assert set(found["by_phenomenon"]) == {"agreement", "letters", "order"}
    worst = [one["difference"] for one in found["worst"]]
    assert worst == sorted(worst)
    assert len(worst) == 4 - found["overall"]["right"]
    again = cli("pairs", "-", "--json", stdin=file.read_bytes())
    assert json.loads(again.out)["overall"] == found["overall"]
    assert "two sentences" in cli.fails("pairs", "-", stdin=b"only one\n")
    assert "none.tsv" in cli.fails("pairs", tmp_path / "none.tsv")
    assert "group by" in cli.fails("pairs", file, "--by", "UID")
