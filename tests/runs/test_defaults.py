"""Defaults yield to the user and fit the corpus."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.errors import CharlmError
from charlm.runs import defaults
from charlm.runs.defaults import Facts


def test_defaults_yield_to_the_user_and_fit_the_corpus() -> None:
    facts = Facts("char", 1_000_000, 65)
    chosen = defaults.network({"hidden": 99, "dropout_input": 0.1}, facts)
    assert (chosen.hidden, chosen.embed, chosen.dropout_input) == (99, 64, 0.1)
    assert chosen.vocab_size == 65
    assert defaults.network({}, Facts("word", 1_000_000, 20_000)).tied
    dropped = defaults.dropout(chosen, {"dropout_output": 0.2}, facts, 1, rate=0.5)
    assert (dropped.dropout_input, dropped.dropout_between) == (0.12, 0.5)
    assert dropped.dropout_output == 0.2
    rates = [defaults.dropout(chosen, {}, facts, n).dropout_output for n in (1, 4, 8, 16, 999)]
    assert rates == [0, 0.21, 0.35, 0.49, 0.5]
    drops = [defaults.dropout(chosen, {}, facts, n).weight_drop for n in (1, 16, 32, 64, 999)]
    assert drops == [0, 0.1, 0.2, 0.2, 0.2]
    words = Facts("word", 1_000_000, 20_000)
    rates = [defaults.dropout(chosen, {}, words, n).dropout_input for n in (1, 2, 5, 8, 99)]
    assert rates == [0, 0, 0.25, 0.5, 0.5]
    small = defaults.training({}, Facts("char", 5_000, 65))
    assert small.batch_size * small.bptt * 2 <= 5_000
    assert defaults.training({"lr": 0.5}, facts).lr == 0.5
    assert defaults.training({}, facts).optimizer == "muon"
    assert defaults.training({"optimizer": "adamw"}, facts).optimizer == "adamw"
    assert defaults.tokenizer({"level": "word", "min_count": 3}).min_count == 3


@pytest.mark.parametrize(
    ("settings", "plain", "residual"),
    [
        ({}, False, False),
        ({"layers": 1}, False, False),
        ({"layers": 2}, False, True),
        ({"layers": 2}, True, False),
        ({"layers": 2, "residual": False}, False, False),
        ({"layers": 2, "residual": True}, True, True),
        ({"layers": 2, "bidirectional": True}, False, False),
    ],
)
def test_further_layers_are_added_to_the_first(
    settings: dict[str, Any], plain: bool, residual: bool
) -> None:
    facts = Facts("char", 1_000_000, 65, plain)
    assert defaults.network(settings, facts).residual == residual


@pytest.mark.parametrize(
    ("settings", "refused"),
    [
        ({"optimizer": "adamw", "muon_scale": 1.0}, "`muon_scale` is a setting of muon"),
        ({"optimizer": "sgd", "muon_interval": 2}, "`muon_interval` is a setting of muon"),
        ({"momentum": 0.5}, "`momentum` is a setting of sgd, and the optimiser is muon"),
    ],
)
def test_settings_of_another_optimiser_are_refused(settings: dict[str, Any], refused: str) -> None:
    with pytest.raises(CharlmError, match=refused):
        defaults.training(settings, Facts("char", 1_000_000, 65))


def test_a_single_layer_has_nothing_to_be_added_to() -> None:
    with pytest.raises(CharlmError, match="`residual` is for two layers or more"):
        defaults.network({"residual": True}, Facts("char", 1_000_000, 65))


def test_short_runs_have_a_higher_rate() -> None:
    facts = Facts("char", 1_000_000, 65)

    def rate(steps: int, facts: Facts = facts, fine_tuning: bool = False, **settings: Any) -> float:
        config = replace(defaults.training(settings, facts, fine_tuning=fine_tuning), steps=steps)
        return defaults.rate(config, settings, facts, fine_tuning=fine_tuning).lr

    assert rate(2000) == 1e-2
    assert rate(250) == pytest.approx(2e-2)
    assert rate(10) == pytest.approx(2.5e-2)
    assert rate(1_000_000) == pytest.approx(5e-3)
    assert rate(10, lr=1e-3) == 1e-3
    assert rate(10, optimizer="sgd") == 1.0
    assert rate(10, fine_tuning=True) == rate(10_000, fine_tuning=True) == 4e-3
    words = Facts("word", 1_000_000, 20_000)
    assert rate(2000, words) == 6e-3
    assert rate(10, words, fine_tuning=True) == 3e-3


@pytest.mark.parametrize(
    ("tokens", "vocab_size", "streams"),
    [
        (300, 50, 4),  # the least that can be trained on
        (8_191, 50, 4),
        (8_192, 50, 8),
        (98_303, 50, 8),
        (98_304, 50, 16),
        (196_607, 50, 16),
        (196_608, 50, 32),
        (12_287, 7_000, 8),
        (24_576, 7_000, 32),
    ],
)
def test_small_texts_have_fewer_streams(tokens: int, vocab_size: int, streams: int) -> None:
    facts = defaults.Facts("char", tokens, vocab_size)
    assert defaults.training({}, facts).batch_size == streams


@pytest.mark.parametrize(
    ("hidden", "tokens", "streams"),
    [(2047, 1_000_000, 32), (2048, 1_000_000, 64), (4096, 393_215, 32), (4096, 393_216, 64)],
)
def test_wide_networks_have_more_streams(hidden: int, tokens: int, streams: int) -> None:
    facts = defaults.Facts("char", tokens, 50)
    assert defaults.training({"hidden": hidden}, facts).batch_size == streams
    assert defaults.training({"hidden": hidden}, facts, fine_tuning=True).batch_size == 32


@given(tokens=st.integers(1, 5000), streams=st.sampled_from([None, 1, 4]))
def test_every_text_is_enough_for_a_batch(tokens: int, streams: int | None) -> None:
    config = defaults.training({"batch_size": streams}, defaults.Facts("word", tokens, 50))
    assert config.batch_size * config.bptt <= max(tokens, streams or 1)
