"""`charlm regions`."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from cli_support import Cli

REGIONS = [("full", "the cats", "were"), ("short", "the cat", "ate")]
SUITE = {
    "meta": {"name": "toy", "metric": "sum"},
    "region_meta": {"1": "subject", "2": "verb"},
    "predictions": [{"formula": "(2;%full%) < (2;%short%)"}],
    "items": [
        {
            "item_number": number,
            "conditions": [
                {"condition_name": name, "regions": [{"content": text} for text in contents]}
                for name, *contents in REGIONS
            ],
        }
        for number in (1, 2, 3)
    ],
}


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    path = tmp_path / "toy.json"
    path.write_text(json.dumps(SUITE))
    return path


def test_table_json_and_items(cli: Cli, suite: Path, tmp_path: Path) -> None:
    lines = cli("regions", suite).out.splitlines()
    assert lines[0].split() == ["prediction", "items", "right", "95", "%"]
    assert lines[1].startswith("(2;%full%) < (2;%short%)      3")
    assert lines[4].split() == ["region", "full", "short"]
    assert [line.split()[:2] for line in lines[5:]] == [["1", "subject"], ["2", "verb"]]
    items = tmp_path / "items.tsv"
    found = json.loads(cli("regions", suite, "--json", "--items", items).out)
    assert found["items"] == 3
    assert found["predictions"][0]["right"] in (0, 3)
    rows = list(csv.DictReader(io.StringIO(items.read_text("utf-8")), delimiter="\t"))
    assert len(rows) == 12
    verbs = [float(r["surprisal"]) for r in rows if (r["region"], r["condition"]) == ("2", "full")]
    assert sum(verbs) / 3 == pytest.approx(found["mean_surprisal"]["full"][1])


def test_what_is_no_suite(cli: Cli, suite: Path) -> None:
    assert "stdin is not valid JSON" in cli.fails("regions", "-", stdin=b"[")
    same = suite.with_suffix(".tsv")
    suite.rename(same)
    assert "one of the files to read" in cli.fails("regions", same, "--items", same)
    assert "items should be a list" in cli.fails("regions", "-", stdin=b"{}")
