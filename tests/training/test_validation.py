"""Validation while training."""

from __future__ import annotations

from pathlib import Path

import pytest
from trainings import SMALL

import charlm
from charlm.training.run import train


def test_validation_agrees_with_eval_of_the_saved_model(text: Path) -> None:
    outcome = train(text, steps=60, lr=0.02, **SMALL)
    whole = text.read_text()
    tail = whole[len(whole) - outcome.best["chars"] :]
    measures = charlm.load(outcome.model).evaluate([tail])
    assert measures.tokens == outcome.best["tokens"]
    assert measures.nats_per_char == pytest.approx(outcome.best["nats_per_char"], rel=0.02)
