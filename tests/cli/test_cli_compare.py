"""`charlm compare`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_support import Cli


@pytest.fixture
def model() -> None:
    """No model is meant where a command names none."""


def test_compare_command(cli: Cli, two: tuple[Path, Path], tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("the apple\n\nthe pear\nwholly other\n")
    shown = cli("compare", *two, text)
    assert shown.code == 0
    assert "bits/char, 95 %" in shown.out
    assert "too few sentences to tell" in shown.out
    assert "unknown to" in shown.err
    assert "1 empty line skipped" in shown.err
    found = json.loads(cli("compare", *two, text, "--json").out)
    assert found["sentences"] == 3
    assert found["difference_bits_per_char"] == pytest.approx(
        found["first"]["bits_per_char_spelled"] - found["second"]["bits_per_char_spelled"]
    )
    wins = found["first_wins"] + found["second_wins"]
    assert {one["text"] for one in wins} == {"the apple", "the pear", "wholly other"}
    text.write_text("\n\n")
    assert "empty lines" in cli.fails("compare", *two, text)


def test_compare_on_pairs(cli: Cli, two: tuple[Path, Path], tmp_path: Path) -> None:
    file = tmp_path / "pairs.tsv"
    file.write_text("the cat was full\tthe cat were full\tagreement\na b c\ta d c\tletters\n" * 3)
    lines = cli("compare", *two, "--pairs", file).out.splitlines()
    heads = ["pairs", "A", "right", "B", "right", "undecided", "only", "A", "only", "B", "p"]
    assert lines[0].split() == heads
    assert [line.split()[:2] for line in lines[1:4]] == [
        ["agreement", "3"],
        ["letters", "3"],
        ["all", "6"],
    ]
    found = json.loads(cli("compare", *two, "--pairs", file, "--json").out)
    assert found["overall"]["first"]["pairs"] == 6
    assert 0 < found["overall"]["p"] <= 1
    assert "name a text to compare" in cli.fails("compare", *two)
    assert "is taken as a text" in cli.fails("compare", *two, file, "--pairs", file)
    assert "--by does not go with a text" in cli.fails("compare", *two, file, "--by", "UID")
    assert "--oov does not go with --pairs" in cli.fails(
        "compare", *two, "--pairs", file, "--oov", "closed"
    )
