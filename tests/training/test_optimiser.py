"""Optimisers, the schedule of the learning rate, and clipping."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from charlm.config import TrainConfig
from charlm.training import optimiser


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd"])  # muon: test_muon.py
def test_optimizers_against_their_definition(optimizer: str) -> None:
    """One step from zero moments, written out (Kingma and Ba 2015; Loshchilov and Hutter 2019)."""
    config = TrainConfig(optimizer=optimizer, lr=0.1, weight_decay=0.5)
    layer = torch.nn.Linear(3, 2)
    before = layer.weight.detach().clone()
    layer.weight.grad, layer.bias.grad = torch.ones(2, 3), torch.ones(2)
    optimiser.build(config, layer).step()
    g = torch.ones(2, 3)
    if optimizer == "adamw":
        expected = before * (1 - 0.1 * 0.5) - 0.1 * g.sign()
    elif optimizer == "adam":
        expected = before - 0.1 * (g + 0.5 * before).sign()
    else:
        expected = before - 0.1 * (g + 0.5 * before)
    torch.testing.assert_close(layer.weight.detach(), expected, atol=1e-5, rtol=1e-5)


def test_learning_rate_schedule() -> None:
    config = TrainConfig(steps=110, warmup=10, lr=2.0, min_lr=0.5)
    rates = [
        optimiser.learning_rate(config, step, max(0, step - 10) / 100, config.warmup)
        for step in range(111)
    ]
    assert rates[0] == pytest.approx(0.2)
    assert rates[10] == pytest.approx(2.0)
    assert rates[60] == pytest.approx(1.25)  # half way down
    assert rates[110] == pytest.approx(0.5)
    assert all(a >= b for a, b in pairwise(rates[10:]))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"clip_norm": 1.0}, [0.6, -0.8]),
        ({"clip_norm": 50.0}, [3.0, -4.0]),
        ({"clip_norm": 0.0, "clip_max": 2.0}, [1.5, -2.0]),
        ({"clip_norm": 0.0, "clip_value": 3.5}, [3.0, -3.5]),
        ({"clip_norm": 0.0}, [3.0, -4.0]),
    ],
)
def test_clipping(settings: dict[str, float], expected: list[float]) -> None:
    parameter = torch.nn.Parameter(torch.zeros(2))
    parameter.grad = torch.tensor([3.0, -4.0])
    assert optimiser.clip(TrainConfig(**settings), [parameter]) == pytest.approx(5.0)  # type: ignore[arg-type]
    assert parameter.grad.tolist() == pytest.approx(expected)
