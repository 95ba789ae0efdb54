"""Validation while training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import charlm
from charlm.training.run import train

SMALL: dict[str, Any] = {
    "hidden": 16,
    "embed": 8,
    "batch_size": 4,
    "bptt": 16,
    "precision": "fp32",
    "threads": 1,
    "device": "cpu",
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    """A few thousand characters with something to learn in them."""
    rng = np.random.default_rng(0)
    who, what = ["the cat", "a dog", "my bird"], ["sleeps", "eats fish", "sees the sea"]
    lines = [f"{rng.choice(who)} {rng.choice(what)}." for _ in range(300)]
    path = tmp_path / "text.txt"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_validation_agrees_with_eval_of_the_saved_model(text: Path) -> None:
    outcome = train(text, steps=60, lr=0.02, **SMALL)
    whole = text.read_text()
    tail = whole[len(whole) - outcome.best["chars"] :]
    measures = charlm.load(outcome.model).evaluate([tail])
    assert measures.tokens == outcome.best["tokens"]
    assert measures.nats_per_char == pytest.approx(outcome.best["nats_per_char"], rel=0.02)
