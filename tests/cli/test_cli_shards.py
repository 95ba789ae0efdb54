"""`--shard` and `--jobs`: parts that add up to what one command says of all."""

from __future__ import annotations

import csv
import io
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cli_support import TEXT, Cli

from charlm.cli import score_shards

LINES = [f"{TEXT.split()[k % 3]} {'abc'[: k % 4]}" for k in range(90)]


@pytest.fixture
def text(elsewhere: Path) -> str:
    Path("text.txt").write_text("\n".join(LINES) + "\n\nlast")
    return "text.txt"


@pytest.fixture
def pair_file(elsewhere: Path) -> str:
    rows = [f"the cat{'s' * (k % 3)}\tthe tac{'s' * (k % 2)}\t{'xy'[k % 2]}" for k in range(40)]
    Path("pairs.tsv").write_text("\n".join(rows))
    return "pairs.tsv"


NUMBER = re.compile(r"-?\d+\.\d+(?:e[-+]?\d+)?")


def numbers(text: str) -> list[float]:
    return [float(found) for found in NUMBER.findall(text)]


def table(text: str, delimiter: str) -> list[list[Any]]:
    """The rows of a table, numbers as such."""

    def cell(text: str) -> float | str:
        with suppress(ValueError):
            return float(text)
        return text

    rows = csv.reader(io.StringIO(text), delimiter=delimiter)
    return [[cell(each) for each in row] for row in rows]


def assert_same(found: list[list[Any]], expected: list[list[Any]]) -> None:
    """To rounding: batches differ in size."""
    for row, other in zip(found, expected, strict=True):
        for cell, its in zip(row, other, strict=True):
            assert cell == (pytest.approx(its, rel=1e-5) if isinstance(its, float) else its)


@pytest.mark.parametrize("at_once", [7, 100_000])
def test_scores_of_all_shards_are_those_of_the_file(
    cli: Cli, text: str, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score_shards, "AT_ONCE", at_once)
    whole = table(cli("score", "-f", text, "--tsv").out, "\t")
    cli("score", "-f", text, "--tsv", "--shard", "2/3", "--out", "parts")
    assert Path("parts/2-of-3.tsv").exists()
    done = cli("score", "-f", text, "--tsv", "--shard", "all/3", "--out", "parts")
    assert "1 of 3 shards were there" in done.err
    found = table(done.out, "\t")
    assert whole[0][1:3] == ["rank", "ranked_by"]
    assert_same(found, [row[:1] + row[3:] for row in whole])
    assert [row[0] for row in found[-2:]] == [90, 92]


def test_a_finished_shard_is_skipped_and_a_missing_one_done(cli: Cli, text: str) -> None:
    score = ("score", "-f", text, "--json", "--out", "parts", "--shard")
    cli(*score, "all/2")
    first, second = Path("parts/1-of-2.jsonl"), Path("parts/2-of-2.jsonl")
    written, before = first.stat().st_mtime_ns, first.read_text() + second.read_text()
    second.unlink()
    assert "shard 1/2 is there" in cli(*score, "1/2").err
    assert cli(*score, "all/2").out == before
    assert first.stat().st_mtime_ns == written
    first.write_text("")
    assert "1-of-2.jsonl is damaged" in cli.fails(*score, "all/2")


def test_only_empty_lines_are_nothing_to_score(cli: Cli, elsewhere: Path) -> None:
    Path("blank.txt").write_text("\n \n\n")
    score = ("score", "-f", "blank.txt", "--tsv", "--out", "parts", "--shard")
    assert "3 empty lines skipped" in cli(*score, "1/1").err
    assert cli(*score, "all/1").code == 2


def test_sentences_that_are_the_same_have_the_same_rank(cli: Cli, elsewhere: Path) -> None:
    Path("same.txt").write_text("".join(f"the cat\n{'a' * k}b\n" for k in range(40)))
    rows = table(cli("score", "-f", "same.txt", "--tsv", "--jobs", "2").out, "\t")
    assert len({row[1] for row in rows if row[-1] == "the cat"}) == 1


@pytest.mark.parametrize("details", [[], ["--words"], ["--tokens"]])
def test_tables_of_stimuli_keep_lines_and_columns(
    cli: Cli, elsewhere: Path, details: list[str]
) -> None:
    rows = ['"the cat\nthe mat",1', *(f"a cat,{k}" for k in range(7))]
    Path("items.csv").write_text("\n".join(["sentence,item", *rows]))
    score = ("score", "-f", "items.csv", "--column", "sentence", "--csv", *details)
    whole = table(cli(*score).out, ",")
    done = table(cli(*score, "--shard", "all/3", "--out", "parts").out, ",")
    assert done[0][-1] == "item"
    if not details:
        whole = [row[:1] + row[3:] for row in whole]  # without rank and ranked_by
    assert_same(done, whole)


def test_measures_add_up(cli: Cli, text: str) -> None:
    how = ("eval", text, "--context", "sentence")
    whole = json.loads(cli(*how, "--json").out)
    cli(*how, "--shard", "200/200", "--out", "parts")  # more shards than lines
    found = json.loads(cli(*how, "--json", "--shard", "all/200", "--out", "parts").out)
    assert found == pytest.approx(whole)
    streams = json.loads(cli("eval", text, "--json", "--shard", "all/4", "--out", "s").out)
    assert {name: streams[name] for name in ("tokens", "chars", "bytes", "oov")} == {
        name: whole[name] for name in ("tokens", "chars", "bytes", "oov")
    }


def test_pairs_add_up(cli: Cli, pair_file: str) -> None:
    whole = cli("pairs", pair_file, "--json").out
    cli("pairs", pair_file, "--shard", "3/50", "--out", "parts")
    done = cli("pairs", pair_file, "--json", "--shard", "all/50", "--out", "parts")
    assert json.loads(done.out) == json.loads(whole)


def test_jobs_change_nothing(cli: Cli, text: str, pair_file: str) -> None:
    for command in (
        ("score", "-f", text, "--tsv"),
        ("score", "-f", text, "--words", "--tsv"),
        ("eval", text, "--context", "sentence"),
        ("pairs", pair_file),
    ):
        one, two = cli(*command).out, cli(*command, "--jobs", "2").out
        assert numbers(two) == pytest.approx(numbers(one), rel=1e-4)
        assert NUMBER.sub("", two) == NUMBER.sub("", one)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["score", "-f", "text.txt", "--tsv", "--shard", "1/2"], "name a directory with --out"),
        (["score", "-f", "text.txt", "--out", "x"], "--out goes with --shard"),
        (["score", "-f", "text.txt", "--shard", "1/2", "--out", "x"], "--tsv, --csv or --json"),
        (["score", "a", "--tsv", "--shard", "1/2", "--out", "x"], "not go with sentences"),
        (["score", "--tsv", "--shard", "1/2", "--out", "x"], "name it with --file"),
        (["score", "-", "--tsv", "--shard", "1/2", "--out", "x"], "not go with stdin"),
        (["score", "-f", "-", "--tsv", "--shard", "1/2", "--out", "x"], "not go with stdin"),
        (["eval", "text.txt", "--shard", "3/2", "--out", "x"], "not '3/2'"),
        (["eval", "text.txt", "--shard", "all/x", "--out", "x"], "not 'all/x'"),
        (["eval", "text.txt", "--context", "sentence", "--adapt", "cache", "-j", "2"], "leave out"),
        (["score", "-f", "text.txt", "--adapt", "cache", "--jobs", "2"], "leave out --jobs"),
        (["eval", "text.txt", "--jobs", "2"], "--jobs goes with --context sentence"),
        (["eval", "text.txt", "--adapt", "cache", "--shard", "1/2", "--out", "x"], "--adapt"),
        (["pairs", "p", "--items", "i", "--shard", "1/2", "--out", "x"], "--items"),
        (["pairs", "-", "--shard", "1/2", "--out", "x"], "not go with stdin"),
    ],
)
def test_what_does_not_go_together(cli: Cli, text: str, arguments: list[str], message: str) -> None:
    assert message in cli.fails(*arguments)
    assert not Path("x").exists()


def test_shards_of_other_work_are_left_alone(cli: Cli, text: str) -> None:
    cli("eval", text, "--shard", "1/2", "--out", "parts")
    error = cli.fails("eval", text, "--window", "3", "--shard", "1/2", "--out", "parts")
    assert "shards of something else (not the same options)" in error
    Path(text).write_text("another text")
    assert "same text" in cli.fails("eval", text, "--shard", "1/2", "--out", "parts")
