"""`charlm mix`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from cli_support import Cli

from charlm.models import log_linear, model_file, model_parts

pytestmark = pytest.mark.usefixtures("random_words")


@pytest.fixture
def model() -> None:
    """No model is meant where a command names none."""


def test_mix(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for order in (1, 4):
        out = f"o{order}"
        cli("ngram", "corpus.txt", "--level", "word", "--order", str(order), "--out", out)
    mixed = json.loads(cli("mix", "o1", "o4", "--dev", "held.txt", "--out", "m", "--json").out)
    weights = np.array(mixed["weights"])
    assert weights.shape == (4, 2)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    parts = [part["nats_per_token"] for part in mixed["parts"]]
    nats = -mixed["best"]["logprob"] / mixed["best"]["tokens"]
    assert nats <= min(parts)
    found = json.loads(cli("eval", "held.txt", "--model", "m", "--json").out)
    assert found["logprob"] == pytest.approx(mixed["best"]["logprob"], rel=1e-3)
    assert found["chars"] == mixed["best"]["chars"]
    assert "mixture" in cli("info", "--model", "m").out
    assert cli("sample", "--model", "m", "--max-tokens", "5", "-q").code == 0
    product = json.loads(cli("mix", "o1", "o4", "--dev", "held.txt", "--log-linear", "--json").out)
    assert product["kind"] == "log-linear"
    assert np.shape(product["weights"]) == (1, 2)
    found = json.loads(cli("eval", "held.txt", "--model", product["run"], "--json").out)
    assert found["logprob"] == pytest.approx(product["best"]["logprob"], rel=1e-3)
    both = cli("mix", "o1", "o4", "--dev", "held.txt", "--log-linear", "--cache", "--json")
    assert json.loads(both.out)["best"]["logprob"] >= product["best"]["logprob"]
    with monkeypatch.context() as fewer:
        fewer.setattr(log_linear, "MAX_FITTED", 100)
        some = cli("mix", "o1", "o4", "--dev", "held.txt", "--log-linear")
    assert "the powers of --log-linear are fitted to only" in some.err
    assert "log-linear mixture of 1-gram" in cli("info", product["run"]).out
    options = ("--dev", "held.txt", "--cache", "--out", "mc", "--json")
    Path("held.txt").write_text("the pear the pear the pear\n" * 40)
    with_cache = json.loads(cli("mix", "o1", "o4", *options).out)
    assert 0 < with_cache["cache"] < 1
    found = json.loads(cli("eval", "held.txt", "--model", "mc", "--json").out)
    assert found["logprob"] == pytest.approx(with_cache["best"]["logprob"], rel=2e-3)
    assert "with a cache of 500 tokens" in cli("info", "--model", "mc").out
    assert model_parts.part(model_file.read("mc/model.safetensors"), 1).family == "ngram"
    shown = cli("mix", "o1", "m", "--dev", "held.txt").out  # a mixture is a part like others
    assert "perplexity" in shown
    cli("ngram", "corpus.txt", "--out", "chars")
    assert "and cannot be mixed" in cli.fails("mix", "o1", "chars", "--dev", "held.txt")
    assert "two models" in cli.fails("mix", "o1", "--dev", "held.txt")
    Path("blank.txt").write_text("\n\n")
    assert "whitespace" in cli.fails("mix", "o1", "o4", "--dev", "blank.txt")
    assert "nothing.txt" in cli.fails("mix", "o1", "o4", "--dev", "nothing.txt")


def test_a_dev_text_that_was_trained_on_is_remarked_on(cli: Cli, random_words: None) -> None:
    cli("ngram", "corpus.txt", "--level", "word", "--order", "8", "--out", "o8")
    cli("ngram", "corpus.txt", "--level", "word", "--order", "1", "--out", "o1")
    trained_on = cli("mix", "o1", "o8", "--dev", "corpus.txt", "--out", "m1").err
    assert "o8 predicts corpus.txt with perplexity" in trained_on
    assert "is it part of what it was trained on?" in trained_on
    assert "trained on?" not in cli("mix", "o1", "o8", "--dev", "held.txt", "--out", "m2").err
