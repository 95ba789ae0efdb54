"""`charlm pairs`."""

from __future__ import annotations

import csv
import io
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
    assert found["overall"]["undecided"] == 1
    assert set(found["by_phenomenon"]) == {"agreement", "letters", "order"}
    worst = [one["difference"] for one in found["worst"]]
    assert worst == sorted(worst)
    assert len(worst) == 4 - 1 - found["overall"]["right"]
    again = cli("pairs", "-", "--json", stdin=file.read_bytes())
    assert json.loads(again.out)["overall"] == found["overall"]
    assert "two sentences" in cli.fails("pairs", "-", stdin=b"only one\n")
    assert "none.tsv" in cli.fails("pairs", tmp_path / "none.tsv")
    assert "group by" in cli.fails("pairs", file, "--by", "UID")


def test_items(cli: Cli, tmp_path: Path) -> None:
    file, out = tmp_path / "pairs.tsv", tmp_path / "items.csv"
    file.write_text("".join(f"{p.good}\t{p.bad}\t{p.phenomenon}\n" for p in PAIRS))
    result = cli("pairs", file, "--items", out)
    assert "4 rows in" in result.err
    rows = list(csv.DictReader(io.StringIO(out.read_text("utf-8"))))
    assert [row["id"] for row in rows] == ["1", "2", "3", "4"]
    assert [row["good"] for row in rows] == [pair.good for pair in PAIRS]
    assert rows[2]["decision"] == "undecided"
    assert float(rows[2]["good_region_surprisal"]) == 0
    assert {row["decision"] for row in rows} <= {"right", "wrong", "undecided"}
    assert cli("pairs", file, "--items", out).code == 0  # its own file
    letter = tmp_path / "letter.tsv"
    letter.write_text("Dear Sir,\n")
    assert "exists" in cli.fails("pairs", file, "--items", letter)
    assert "name a file to write to" in cli.fails("pairs", file, "--items", "-")
    assert "not x.parquet" in cli.fails("pairs", file, "--items", "x.parquet")
    assert "one of the files to read" in cli.fails("pairs", file, "--items", file, "--force")
    assert cli("pairs", file, "--items", letter, "--force").code == 0
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "p.tsv").write_text("a\tb\n")
    inside = tmp_path / "d" / "items.tsv"
    assert "would lie in" in cli.fails("pairs", tmp_path / "d", "--items", inside)


def test_undecided_pairs_are_said_to_be_half_right(cli: Cli) -> None:
    result = cli("pairs", "-", stdin=b"abc\tabc\n")
    assert "1 pair is undecided, both sentences equally probable" in result.err
    assert ": half right" in result.err
    assert "50.0%" in result.out


def test_differences_are_marked_in_long_sentences(cli: Cli) -> None:
    text = "the " * 50 + "{} " + "cat " * 50
    line = text.format("ate").strip() + "\t" + text.format("eat").strip() + "\n"
    shown = cli("pairs", "-", stdin=line.encode())
    other = cli("pairs", "-", stdin="\t".join(line.strip().split("\t")[::-1]).encode())
    assert "[eat]" in shown.out + other.out
    assert max(map(len, shown.out.splitlines())) < 200


def test_words_at_a_position(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "agr.gold").write_text("2\twere\twas\t0\n")
    (tmp_path / "agr.text").write_text("the cats were full\n")
    how = ("pairs", tmp_path / "agr.gold", "--text", tmp_path / "agr.text", "--json")
    found = json.loads(cli(*how).out)
    blank = b"sentence\tcorrect\twrong\nthe cats ___ full\twere\twas\n"
    again = json.loads(cli("pairs", "-", "--json", stdin=blank).out)
    assert found["overall"] == again["overall"]


def test_pairs_with_unknown_words_are_left_out(cli: Cli) -> None:
    given = "the cat\tthe pear\nthe 漢\tthe 猫\n".encode()
    result = cli("pairs", "-", "--skip-oov", "--json", stdin=given)
    assert json.loads(result.out)["overall"]["pairs"] == 1
    assert "1 of 2 pairs left out for unknown words" in result.err
    assert "every pair has an unknown word" in cli.fails(
        "pairs", "-", "--skip-oov", stdin="the 漢\tthe 猫\n".encode()
    )
