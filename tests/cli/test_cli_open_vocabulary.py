"""Unknown words: spelled where sentences or models are compared, and `<unk>` in a text."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from cli_support import Cli

pytestmark = pytest.mark.usefixtures("random_words")


@pytest.fixture
def model() -> None:
    """No model is meant where a command names none."""


def made(cli: Cli, name: str, *options: str) -> str:
    assert cli("ngram", "corpus.txt", "--out", name, *options).code == 0
    return name


def scored(cli: Cli, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(cli("score", *words, "--json").out)
    return found


def test_a_small_vocabulary_is_no_advantage(cli: Cli) -> None:
    small = made(cli, "small", "--level", "word", "--vocab-size", "4")
    chars = made(cli, "chars")
    closed, spelled = (
        json.loads(cli("compare", small, chars, "held.txt", "--json", *oov).out)
        for oov in (("--oov", "closed"), ())
    )
    assert (closed["oov"], spelled["oov"]) == ("closed", "spelled")
    assert closed["interval"][1] < 0 < spelled["interval"][0]  # bits/char of small − chars
    assert closed["first"] == spelled["first"]
    shown = cli("compare", small, chars, "held.txt")
    assert "B is better" in shown.out
    assert f"unknown to {small} (OOV): counted as <UNK> and letter by letter" in shown.err
    measured = json.loads(cli("eval", "held.txt", "--model", small, "--json").out)
    assert measured["bits_per_char_spelled"] > 2 * measured["bits_per_char"]
    row = next(
        r for r in cli("eval", "held.txt", "--model", small).out.splitlines() if "spelled" in r
    )
    assert float(row.split()[1]) == pytest.approx(measured["bits_per_char_spelled"], abs=1e-4)
    assert "spelled" not in cli("eval", "held.txt", "--model", chars).out


def test_sentences_are_ranked_with_the_spelling_of_unknown_words(cli: Cli) -> None:
    model = made(cli, "words", "--level", "word")
    first = Path("held.txt").read_text().splitlines()[0]
    known, unknown = first, first.replace(first.split()[0], "xqzzt", 1)
    by = {one["text"]: one for one in scored(cli, known, unknown, "--model", model)}
    assert by[known]["logprob_spelled"] == by[known]["logprob"]
    assert by[unknown]["logprob_spelled"] < by[unknown]["logprob"] - 10
    for oov, key in (("closed", "logprob"), ("spelled", "logprob_spelled")):
        shown = cli("score", known, unknown, "--model", model, "--oov", oov)
        for text, row in zip((known, unknown), shown.out.splitlines()[1:], strict=True):
            assert float(row.replace("▶", "").split()[1]) == pytest.approx(by[text][key], abs=0.006)
    assert "1 of 14 tokens is unknown (OOV): counted as <UNK> and letter by letter" in shown.err
    usual = cli("score", known, unknown, "--model", model)
    assert usual.out == shown.out  # spelled, since one has more unknown words than the other
    rows = cli("score", known, unknown, "--model", model, "--tsv").out.splitlines()
    place = rows[0].split("\t").index("rank")
    assert [row.split("\t")[place] for row in rows[1:]] == ["1", "2"]
    left_out = cli("score", known, unknown, "--model", model, "--oov", "exclude")
    assert "unknown (OOV): left out" in left_out.err
    assert "closed" in cli.fails("score", known, "--model", model, "--oov", "guess")


def test_hypotheses_and_labels_too(cli: Cli) -> None:
    model = made(cli, "words", "--level", "word")
    other = made(cli, "fewer", "--level", "word", "--vocab-size", "6")
    first = Path("held.txt").read_text().splitlines()[0]
    Path("n.tsv").write_text(f"u1\t{first}\t-1\nu1\t{first} xqzzt\t-1\n")
    for words, oov in (((), "spelled"), (("--oov", "closed"), "closed")):
        found = json.loads(cli("rescore", "n.tsv", "--model", model, "--json", *words).out)
        assert found["oov"] == oov
        lm = [one["lm"] for one in found["utterances"][0]["hypotheses"]]
        expected = [
            one["logprob_spelled" if oov == "spelled" else "logprob"]
            for one in scored(cli, first, f"{first} xqzzt", "--model", model)
        ]
        assert sorted(lm) == pytest.approx(sorted(expected))
        labels = ("classify", "held.txt", "-m", f"a={model}", "-m", f"b={other}", "--json")
        assert json.loads(cli(*labels, *words).out)["oov"] == oov
    closed, spelled = (
        [one["label"] for one in json.loads(cli(*labels, *words).out)["texts"]].count("a")
        for words in (("--oov", "closed"), ())
    )
    assert closed == 0 < spelled  # who knows few words finds everything probable


def test_texts_that_write_unk(cli: Cli) -> None:
    text = Path("corpus.txt").read_text()
    gone = text.split()[0]
    Path("corpus.txt").write_text(re.sub(rf"\b{gone}\b", "<unk>", text))
    shown = cli("ngram", "corpus.txt", "--level", "word", "--out", "r", "--arpa", "r.arpa")
    assert "has <unk> for unknown words: read as <UNK>" in shown.err
    Path("mapped.txt").write_text(re.sub(rf"\b{gone}\b", "@", text))
    made = cli("ngram", "mapped.txt", "--level", "word", "--out", "m")
    assert "for unknown words" not in made.err
    held = Path("held.txt").read_text()
    for name, token in (("unk", "<unk>"), ("at", "@")):
        Path(f"{name}.txt").write_text(re.sub(rf"\b{gone}\b", token, held))
    found = [
        json.loads(cli("eval", f"{text}.txt", "--model", model, "--json").out)
        for text, model in (("unk", "r"), ("at", "m"), ("unk", "r.arpa"))
    ]
    for one in found:  # <UNK> is a word like any other: as published for PTB and WikiText
        assert one["perplexity"] == pytest.approx(found[1]["perplexity"], rel=0.02)
    assert found[0]["oov"] == found[2]["oov"] > found[1]["oov"] == 0
    assert found[0]["logprob_spelled"] == found[0]["logprob"]  # <unk> is not spelled
    assert math.isfinite(found[0]["bits_per_char_spelled"])
    plain = cli("ngram", "corpus.txt", "--level", "word", "--unk-token", "none", "--arpa", "p.arpa")
    assert "for unknown words" not in plain.err
    assert plain.code == 2
    assert "the word <unk>" in plain.err
    assert "--unk-token" in plain.err


def test_new_words_in_samples(cli: Cli) -> None:
    model = made(cli, "fewer", "--level", "word", "--vocab-size", "6")
    shown = cli("sample", "--model", model, "-n", "5", "--seed", "1", "--allow-new-words")
    assert shown.code == 0
    assert "<UNK>" not in shown.out
    assert len(shown.out.splitlines()) == 5
    assert "word models" in cli.fails(
        "sample", "--model", made(cli, "chars"), "--allow-new-words", "--seed", "1"
    )
