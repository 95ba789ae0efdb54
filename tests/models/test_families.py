"""Families of models in words."""

from __future__ import annotations

from typing import Any

import pytest

from charlm.config import NetworkConfig
from charlm.models.families import architecture, describe_network


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"hidden": 512}, "LSTM 1 × 512 · embedding 64"),
        ({"hidden": 8, "cell": "rnn-relu", "layers": 2}, "RNN (relu) 2 × 8 · embedding 64"),
        ({"hidden": 8, "residual": True}, "LSTM 1 × 8 · embedding 64"),
        ({"hidden": 8, "layers": 2, "residual": True}, "residual LSTM 2 × 8 · embedding 64"),
        (
            {"hidden": 8, "bidirectional": True, "tied": True, "dense": 1, "learned_start": True},
            "bidirectional LSTM 1 × 8 · embedding 64 (tied) · 1 dense layer · learned start",
        ),
        (
            {"hidden": 8, "dropout_input": 0.25, "dropout_output": 0.1},
            "LSTM 1 × 8 · embedding 64 · dropout input 0.25, output 0.1",
        ),
    ],
)
def test_networks(settings: dict[str, Any], words: str) -> None:
    config = NetworkConfig(9, embed=64, **settings).as_dict()
    assert describe_network(config) == words
    assert words.startswith(architecture(config))
