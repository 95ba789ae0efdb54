"""Optimisers, the schedule of the learning rate, and clipping."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from charlm.config import OPTIMIZERS, NetworkConfig, TrainConfig
from charlm.network.network import Network
from charlm.training import optimiser
from charlm.training.muon import Muon


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
    assert rates[:10] == pytest.approx([0.2 * k for k in range(1, 11)])
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
        ({"clip_norm": 0.0, "clip_value": 2.0}, [2.0, -2.0]),
        ({"clip_norm": 1.0, "clip_value": 2.0}, [0.5**0.5, -(0.5**0.5)]),
        ({"clip_norm": 1.0, "clip_max": 2.0}, [0.6, -0.8]),
        ({"clip_norm": 0.0}, [3.0, -4.0]),
    ],
)
def test_clipping(settings: dict[str, float], expected: list[float]) -> None:
    parameter = torch.nn.Parameter(torch.zeros(2))
    parameter.grad = torch.tensor([3.0, -4.0])
    assert optimiser.clip(TrainConfig(**settings), [parameter]) == pytest.approx(5.0)  # type: ignore[arg-type]
    assert parameter.grad.tolist() == pytest.approx(expected)


@pytest.mark.parametrize("settings", [{"clip_norm": 0.01}, {"clip_norm": 0.0, "clip_max": 0.008}])
def test_small_gradients_are_clipped_as_large_ones_are(settings: dict[str, float]) -> None:
    parameter = torch.nn.Parameter(torch.zeros(2))
    parameter.grad = torch.tensor([0.3, -0.4])
    optimiser.clip(TrainConfig(**settings), [parameter])  # type: ignore[arg-type]
    assert parameter.grad.tolist() == pytest.approx([0.006, -0.008])


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "adamw"},
        {"optimizer": "adam"},
        {"optimizer": "sgd"},
        {"optimizer": "sgd", "momentum": 0.0},
        {"optimizer": "muon"},
        {"optimizer": "muon", "muon_interval": 2},
    ],
)
def test_moments_are_those_that_a_checkpoint_expects(settings: dict[str, Any]) -> None:
    network = Network(NetworkConfig(9, embed=5, hidden=6, layers=2))
    network.initialise(1)
    optimizer = optimiser.build(TrainConfig(**settings), network)
    for p in network.parameters():
        p.grad = torch.ones_like(p)
    optimizer.step()
    moments = state_of(optimizer, network)
    shapes = optimiser.state_shapes(optimizer, network)
    assert {name: np.atleast_1d(t).shape for name, t in moments.items()} == {
        f"{name}/{key}": shape for name, keys in shapes.items() for key, shape in keys.items()
    }
    optimiser.set_state(optimizer, network, {k: torch.from_numpy(v) for k, v in moments.items()})
    for name, value in state_of(optimizer, network).items():
        np.testing.assert_array_equal(value, moments[name])


def state_of(optimizer: torch.optim.Optimizer, network: Network) -> dict[str, Any]:
    return {name: t.numpy().copy() for name, t in optimiser.get_state(optimizer, network).items()}


def network_of(**settings: Any) -> Network:
    network = Network(NetworkConfig(9, **{"embed": 5, "hidden": 6, **settings}))
    network.initialise(1)
    return network


def test_plain_descent_and_its_momentum() -> None:
    config = TrainConfig(optimizer="sgd", lr=0.5, momentum=0.25)
    layer = torch.nn.Linear(3, 2)
    sgd = optimiser.build(replace(config, weight_decay=0.0), layer)
    before = layer.weight.detach().clone()
    for _ in range(2):
        layer.weight.grad = torch.ones(2, 3)
        sgd.step()
    torch.testing.assert_close(layer.weight.detach(), before - 0.5 * (1 + 1.25))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_biases_do_not_decay(optimizer: str) -> None:
    network = network_of()
    built = optimiser.build(TrainConfig(optimizer=optimizer, weight_decay=0.25), network)
    for group in built.param_groups:
        for p in group["params"]:
            assert group["weight_decay"] == (0.25 if p.dim() > 1 else 0.0)
    assert sum(len(group["params"]) for group in built.param_groups) == len(
        list(network.parameters())
    )


@pytest.mark.parametrize(
    ("precision", "dtype"), [("bf16", torch.bfloat16), ("fp32", torch.float32)]
)
def test_muon_is_as_configured(precision: str, dtype: torch.dtype) -> None:
    network = network_of(bidirectional=True, layers=2)
    config = TrainConfig(
        optimizer="muon", precision=precision, muon_scale=3.0, muon_interval=5, lr=0.5
    )
    muon = optimiser.build(config, network)
    assert isinstance(muon, Muon)
    assert (muon.precision, muon.scale, muon.interval) == (dtype, 3.0, 5)
    assert {group["lr"] for group in muon.param_groups} == {0.5}
    taken = {name for name, p in network.named_parameters() if muon.orthogonalises(p)}
    assert taken == {
        f"{stack}.{name}"
        for stack in ("rnn", "back")
        for name in ("0.weight_hh", "1.weight_ih", "1.weight_hh")
    }


@pytest.mark.parametrize(("inputs", "factor"), [(512, 1.0), (1024, 0.5)])
def test_input_weights_of_many_inputs_have_a_lower_rate(inputs: int, factor: float) -> None:
    network = network_of(embed=inputs, bidirectional=True)
    built = optimiser.build(TrainConfig(optimizer="muon", lr=0.5), network)
    optimiser.set_rate(built, 0.25)
    rates = {id(p): group["lr"] for group in built.param_groups for p in group["params"]}
    for name, p in network.named_parameters():
        assert rates[id(p)] == 0.25 * (factor if name.endswith("0.weight_ih") else 1.0), name


def test_without_muon_all_weights_have_one_rate() -> None:
    built = optimiser.build(TrainConfig(optimizer="adamw"), network_of(embed=1024))
    optimiser.set_rate(built, 0.25)
    assert {group["lr"] for group in built.param_groups} == {0.25}
