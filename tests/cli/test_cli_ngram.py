"""`charlm ngram`, and models of both kinds together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_support import Cli

pytestmark = pytest.mark.usefixtures("random_words")


@pytest.fixture
def model() -> None:
    """No model is meant where a command names none."""


@pytest.mark.parametrize("level", ["char", "word", "byte"])
def test_an_ngram_model_works_in_every_command(cli: Cli, level: str) -> None:
    done = json.loads(cli("ngram", "corpus.txt", "--level", level, "--json").out)
    assert done["order"] == (5 if level == "word" else 10)
    assert len(done["sizes"]) == done["order"]
    shown = json.loads(cli("info", "--json").out)  # it is the latest
    assert shown["family"] == "ngram"
    assert shown["ngrams"] == done["sizes"]
    assert f"2: {done['sizes'][1]:,} · 3: {done['sizes'][2]:,}" in " ".join(cli("info").out.split())
    evaluated = json.loads(cli("eval", "held.txt", "--json").out)
    assert 0 < evaluated["bits_per_char"] < 4
    assert json.loads(cli("eval", "held.txt", "--window", "7", "--json").out)["tokens"]
    assert cli("score", "the cat sat", "the dog", "--words").code == 0
    assert cli("sample", "--max-tokens", "20", "--seed", "1", "-q").code == 0
    assert "recurrent" in cli.fails("eval", "held.txt", "--adapt", "cache")


def test_validation_is_what_eval_says(cli: Cli) -> None:
    done = json.loads(
        cli("ngram", "corpus.txt", "--level", "word", "--valid", "held.txt", "--json").out
    )
    evaluated = json.loads(cli("eval", "held.txt", "--json").out)
    assert done["best"]["logprob"] == pytest.approx(evaluated["logprob"], rel=1e-6)
    assert done["best"]["chars"] == evaluated["chars"]


def test_arpa_files_are_models(cli: Cli) -> None:
    made = cli("ngram", "corpus.txt", "--level", "word", "--order", "3", "--arpa", "m.arpa")
    assert made.code == 0
    assert "3-grams" in made.out
    same = [
        json.loads(cli("eval", "held.txt", "--json", "--model", model).out)["logprob"]
        for model in ("runs/latest", "m.arpa")
    ]
    assert same[0] == pytest.approx(same[1], rel=1e-5)
    assert cli("info", "--model", "m.arpa").code == 0
    assert "--context sentence" in cli.fails("ngram", "corpus.txt", "--arpa", "x.arpa")
    Path("bad.arpa").write_text("\\data\\\nngram 1=2\n")
    assert "is not a valid ARPA file; line 2" in cli.fails("score", "a", "--model", "bad.arpa")


def test_pruning_makes_a_model_smaller(cli: Cli) -> None:
    whole = json.loads(cli("ngram", "corpus.txt", "--level", "word", "--json").out)
    options = ("--level", "word", "--min-counts", "1,2,2", "--json")
    pruned = json.loads(cli("ngram", "corpus.txt", *options).out)
    assert pruned["sizes"][0] == whole["sizes"][0]
    assert pruned["sizes"][3] < whole["sizes"][3]
    assert "whole numbers" in cli.fails("ngram", "corpus.txt", "--min-counts", "a,b")
    assert "begin with 1" in cli.fails("ngram", "corpus.txt", "--min-counts", "2")


def test_bad_input(cli: Cli) -> None:
    assert "none.txt" in cli.fails("ngram", "none.txt")
    Path("empty.txt").write_text("")
    assert "empty" in cli.fails("ngram", "empty.txt")
    assert "order" in cli.fails("ngram", "corpus.txt", "--order", "99999999999")
    assert "whole numbers" in cli.fails("ngram", "corpus.txt", "--min-counts", "")
    words = ("ngram", "corpus.txt", "--level", "word", "--arpa")
    assert "the text itself" in cli.fails(*words, "corpus.txt")
    assert "No such file" in cli.fails(*words, "nodir/x.arpa")
    assert not list(Path("runs").glob("[!.]*")), "a failed command leaves no run"


@pytest.mark.train
def test_scoring_in_bulk_needs_no_network(cli: Cli) -> None:
    assert cli("ngram", "corpus.txt").code == 0
    assert cli("score", "the cat", "--device", "cpu").code == 0


@pytest.mark.parametrize("level", ["char", "word"])
def test_on_disk_the_model_is_the_same(cli: Cli, level: str) -> None:
    options = ("ngram", "corpus.txt", "--level", level, "--min-counts", "1,1,2", "--order", "4")
    assert cli(*options, "--out", "here").code == 0
    made = cli(*options, "--out", "there", "--memory", "1T")
    assert made.code == 0
    assert "of disk" in made.err
    here, there = (Path(name, "model.safetensors").read_bytes() for name in ("here", "there"))
    assert here == there
    assert not list(Path().rglob("*.ngrams"))  # the place where it worked


def test_memory_is_an_amount_and_enough(cli: Cli) -> None:
    assert "--memory takes an amount" in cli.fails("ngram", "corpus.txt", "--memory", "much")
    assert "give at least --memory" in cli.fails("ngram", "corpus.txt", "--memory", "1M")
