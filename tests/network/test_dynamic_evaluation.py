"""Learning while reading: dynamic evaluation and the neural cache."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_support import Cli, write_model
from toys import recurrent_lm

from charlm.errors import CharlmError
from charlm.models.kneser_ney import estimate
from charlm.network.dynamic_evaluation import SEGMENT_TOKENS, DynamicLM
from charlm.tasks.neural_cache import NeuralCacheLM

PATTERN = np.tile([1, 2, 3, 4, 5, 6, 7], 120)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_the_first_segment_is_static_and_later_ones_are_better(cell: str) -> None:
    lm = recurrent_lm(cell, layers=2)
    static, _ = lm.read(lm.start(1), PATTERN[None])
    adaptive = DynamicLM(lm, rate=1e-2)
    learned, _ = adaptive.read(adaptive.start(1), PATTERN[None])
    np.testing.assert_allclose(learned[0, :SEGMENT_TOKENS], static[0, :SEGMENT_TOKENS], atol=1e-5)
    assert learned[0, -70:].mean() > static[0, -70:].mean() + 0.5
    again, _ = lm.read(lm.start(1), PATTERN[None])
    np.testing.assert_array_equal(again, static)  # the model itself has learned nothing


def test_rate_zero_is_static() -> None:
    lm = recurrent_lm("lstm")
    seqs = [PATTERN[:50], PATTERN[3:9]]
    adaptive = DynamicLM(lm, rate=0.0)
    for own, static in zip(adaptive.logprobs(seqs), lm.logprobs(seqs), strict=True):
        np.testing.assert_allclose(own, static, atol=1e-5)


def slow_cache(ids: list[int], window: int, theta: float, share: float) -> list[float]:
    """The formula, token by token."""
    import math

    model = recurrent_lm("gru")
    state = model.start(1)
    keys: list[Any] = []
    words: list[int] = []
    found = []
    for w in ids:
        h = state.layers[-1][0][0]
        p = math.exp(model.predict(state)[0, w])
        if words:
            weights = [math.exp(theta * float(h @ key)) for key in keys[-window:]]
            same = sum(x for x, word in zip(weights, words[-window:], strict=True) if word == w)
            p = (1 - share) * p + share * same / sum(weights)
        found.append(math.log(p))
        keys.append(h)
        words.append(w)
        state = model.advance(state, np.array([w]))
    return found


def test_cache_is_its_formula() -> None:
    lm = recurrent_lm("gru")
    ids = np.random.default_rng(0).integers(11, size=300)
    cache = NeuralCacheLM(lm, window=40, theta=0.8, weight=0.3)
    first, state = cache.read(cache.start(1), ids[None, :13])
    rest, _ = cache.read(state, ids[None, 13:])
    expected = slow_cache(ids.tolist(), 40, 0.8, 0.3)
    np.testing.assert_allclose(np.concatenate([first[0], rest[0]]), expected, atol=1e-4)


def test_only_networks_adapt() -> None:
    lm = estimate(np.array([1, 2, 0]), 3, 0, 2, lines=True)
    for kind in (DynamicLM, NeuralCacheLM):
        with pytest.raises(CharlmError, match="recurrent"):
            kind(lm)


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return Cli(write_model(tmp_path / "model.safetensors"), capsys, monkeypatch)


@pytest.mark.parametrize("how", ["dynamic", "cache"])
def test_commands(cli: Cli, tmp_path: Path, how: str) -> None:
    text = tmp_path / "text.txt"
    text.write_text("the apple and pear salad\n" * 12)
    static = json.loads(cli("eval", text, "--json").out)
    both = json.loads(cli("eval", text, "--json", "--adapt", how).out)
    assert {k: v for k, v in both.items() if k != "adapted"} == static
    assert both["adapted"]["logprob"] != static["logprob"]
    assert both["adapted"]["tokens"] == static["tokens"]
    shown = cli("eval", text, "--adapt", how).out
    assert "static" in shown
    assert "adapted" in shown
    scored = json.loads(cli("score", "-f", text, "--json", "--adapt", how).out)
    assert len(scored) == 12
    assert scored[-1]["adapted"]["logprob"] != scored[-1]["logprob"]
    lines = ("--context", "sentence", "--json", "--adapt", how)
    assert json.loads(cli("eval", text, *lines).out)["adapted"]["tokens"] == static["tokens"]
    assert "choose one" in cli.fails("eval", text, "--adapt", how, "--window", "5")
    assert "reads the text twice" in cli.fails("eval", "-", "--adapt", how, stdin=b"a\n")
    assert "--tokens" in cli.fails("score", "a", "--adapt", how, "--tokens")
