"""Comparing two models, and classifying by several."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from cli_support import Cli, write_model
from toys import pair_of

from charlm.errors import CharlmError
from charlm.tasks.classify import (
    classify,
    fit_temperature,
    log_likelihoods,
    log_posteriors,
    log_priors,
    most_probable,
    read_labelled,
)
from charlm.tasks.compare import bootstrap, compare
from charlm.tasks.score import score

SENTENCES = ["the cat sat", "abc de", "fgh, abc", "", "de"] * 4


def test_totals_are_those_of_score() -> None:
    models = [pair_of("char"), pair_of("word")]
    found = compare(models, SENTENCES, resamples=200)
    for measures, (lm, tokenizer) in zip((found.first, found.second), models, strict=True):
        own = score(lm, tokenizer, SENTENCES)
        assert measures.logprob == pytest.approx(sum(one.logprob for one in own), abs=1e-3)
        assert measures.chars == sum(len(text) + 1 for text in SENTENCES)
    total = sum(line.difference for line in found.lines)
    assert found.difference == pytest.approx(total / found.first.chars)
    low, high = found.interval
    assert low <= found.difference <= high
    assert found.as_dict() == compare(models, SENTENCES, resamples=200).as_dict()


def test_a_model_is_no_better_than_itself() -> None:
    found = compare([pair_of("char")] * 2, SENTENCES, resamples=100)
    assert found.difference == 0
    assert found.interval == (0, 0)
    with pytest.raises(CharlmError, match="no sentences"):
        compare([pair_of("char")] * 2, [])


def test_bootstrap_has_the_spread_of_the_mean() -> None:
    rng = np.random.default_rng(0)
    extra, chars = rng.normal(0.1, 1.0, 400), np.ones(400)
    drawn = bootstrap(extra, chars, 4000, seed=1)
    assert drawn.mean() == pytest.approx(extra.mean(), abs=0.01)
    assert drawn.std() == pytest.approx(extra.std() / 20, rel=0.1)


def test_posteriors_are_bayes() -> None:
    models = [pair_of("char"), pair_of("char", "lstm")]
    texts = ["abc", "the cat"]
    likelihoods = log_likelihoods(models, texts)
    for k, (lm, tokenizer) in enumerate(models):
        own = [one.logprob for one in score(lm, tokenizer, texts)]
        np.testing.assert_allclose(likelihoods[:, k], own, atol=1e-4)
    priors = log_priors(["a", "b"], {"a": 0.9})
    np.testing.assert_allclose(np.exp(priors), [0.9, 0.1])
    posteriors = log_posteriors(likelihoods, priors, 1.0)
    joint = np.exp(likelihoods) * [0.9, 0.1]
    np.testing.assert_allclose(np.exp(posteriors), joint / joint.sum(1, keepdims=True))
    for one, row in zip(most_probable(texts, ["a", "b"], posteriors), posteriors, strict=True):
        assert one.label == "ab"[int(row.argmax())]
        assert one.margin == pytest.approx(abs(row[0] - row[1]))
        assert sum(one.posterior.values()) == pytest.approx(1)


def test_temperature_is_found_again() -> None:
    rng = np.random.default_rng(0)
    odds = rng.normal(0, 2, 5000)
    truth = (rng.random(5000) > 1 / (1 + np.exp(-odds))).astype(int).tolist()
    overconfident = 8 * np.stack([odds, np.zeros(5000)], axis=1)
    even = log_priors(["a", "b"], {})
    assert fit_temperature(overconfident, even, truth) == pytest.approx(8, rel=0.2)


@pytest.mark.parametrize(
    "given", [{"c": 0.5}, {"a": 0.0}, {"a": 1.5}, {"a": 0.5, "b": 0.6}, {"a": 0.7, "b": 0.7}]
)
def test_priors_that_are_none(given: dict[str, float]) -> None:
    with pytest.raises(CharlmError, match="prior"):
        log_priors(["a", "b"], given)


def test_labelled_lines() -> None:
    assert read_labelled(["b\tx y", "", "a\tz"], "f", ["a", "b"]) == [("b", "x y"), ("a", "z")]
    for line in ("c\tx", "a x"):
        with pytest.raises(CharlmError, match="f, line 1"):
            read_labelled([line], "f", ["a", "b"])


def test_classifying_in_one_call() -> None:
    models = {"a": pair_of("char"), "b": pair_of("char", "lstm")}
    texts = ["abc", "the cat", "de"]
    found = classify(models, texts)
    assert found.temperature == 1
    assert found.accuracy is None
    assert found.labels == [one.label for one in found.texts]
    labelled = list(zip(found.labels, texts, strict=True))
    assert classify(models, texts, truth=found.labels).accuracy == 1
    other = {"a": "b", "b": "a"}
    assert classify(models, texts, truth=[other[one] for one in found.labels]).accuracy == 0
    tempered = classify(models, texts, calibrate=[*labelled, ("a", "e"), ("b", "e")])
    assert tempered.labels == found.labels
    for settings, message in (
        ({"calibrate": [("a", "x")]}, "no calibration text is labelled b"),
        ({"truth": ["a"]}, "every text"),
        ({"truth": ["a", "b", "c"]}, "labelled c"),
        ({"priors": {"a": 2.0}}, "prior"),
    ):
        with pytest.raises(CharlmError, match=message):
            classify(models, texts, **settings)
    with pytest.raises(CharlmError, match="two models"):
        classify({"a": models["a"]}, texts)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return Cli(None, capsys, monkeypatch)


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    return (
        write_model(tmp_path / "a.safetensors"),
        write_model(tmp_path / "b.safetensors", text="wholly other letters, QXZ\n"),
    )


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
        found["first"]["bits_per_char"] - found["second"]["bits_per_char"]
    )
    wins = found["first_wins"] + found["second_wins"]
    assert {one["text"] for one in wins} == {"the apple", "the pear", "wholly other"}
    text.write_text("\n\n")
    assert "empty lines" in cli.fails("compare", *two, text)


def test_classify_command(cli: Cli, two: tuple[Path, Path], tmp_path: Path) -> None:
    text = tmp_path / "text.tsv"
    text.write_text("x\tthe apple\ny\tQXZ\nx\tpear\n")
    models = ("-m", f"x={two[0]}", "-m", f"y={two[1]}")
    rows = cli("classify", text, *models).out.splitlines()
    assert rows[0].split("\t") == ["label", "probability", "margin", "text"]
    assert len(rows) == 4
    found = json.loads(
        cli("classify", text, *models, "--labelled", "--calibrate", text, "--json").out
    )
    assert 0 <= found["accuracy"] <= 1
    assert found["temperature"] > 0
    for one in found["texts"]:
        assert math.isclose(sum(one["posterior"].values()), 1, rel_tol=1e-6)
    assert "two models" in cli.fails("classify", text, "-m", f"x={two[0]}")
    text.write_text("x\tonly\n")
    assert "no calibration text is labelled y" in cli.fails(
        "classify", text, *models, "--calibrate", text
    )
    assert "name=value" in cli.fails("classify", text, "-m", "x")
    assert "no model of that name" in cli.fails("classify", text, *models, "--prior", "z=0.5")
    assert "not a number" in cli.fails("classify", text, *models, "--prior", "x=half")
