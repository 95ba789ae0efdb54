"""Muon: its update is orthogonal, its AdamW is torch's, and one rate drives both."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from charlm.config import NetworkConfig, TrainConfig
from charlm.network.network import Network
from charlm.training import optimiser
from charlm.training.muon import MOMENTUM, UPDATE_RMS, Muon, orthogonalise


@settings(max_examples=20, deadline=None)
@given(
    rows=st.integers(2, 40),
    columns=st.integers(2, 40),
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
    seed=st.integers(0, 99),
)
def test_singular_values_come_near_one(rows: int, columns: int, scale: float, seed: int) -> None:
    """U S Vᵀ with S from 0.03 to 1 becomes about U Vᵀ, whatever its size."""
    torch.manual_seed(seed)
    U, _, Vt = torch.linalg.svd(torch.randn(rows, columns), full_matrices=False)
    spread = torch.logspace(-1.5, 0, min(rows, columns))
    found = orthogonalise(scale * (U * spread) @ Vt)
    values = torch.linalg.svdvals(found)
    assert values.min() > 0.7
    assert values.max() < 1.3
    torch.testing.assert_close(
        found @ Vt.t(), (U.t() @ found @ Vt.t()).diag() * U, atol=1e-3, rtol=0
    )


def test_a_zero_gradient_moves_nothing() -> None:
    assert not orthogonalise(torch.zeros(6, 3)).any()


def test_bf16_products_agree() -> None:
    torch.manual_seed(1)
    matrix = torch.randn(64, 16)
    exact, brief = orthogonalise(matrix), orthogonalise(matrix, torch.bfloat16)
    assert brief.dtype == torch.float32
    assert not torch.equal(brief, exact)
    cosine = (exact * brief).sum() / (exact.norm() * brief.norm())
    assert cosine > 0.995


def test_first_step_by_hand() -> None:
    """Hidden matrices by Muon; everything else exactly as torch's AdamW."""
    config = TrainConfig(optimizer="muon", lr=0.01, weight_decay=0.1)
    one, two = (Network(NetworkConfig(9, embed=5, hidden=6, layers=2)) for _ in range(2))
    one.initialise(1)
    two.initialise(1)
    muon = optimiser.build(config, one)
    adamw = optimiser.build(TrainConfig(lr=0.01, weight_decay=0.1), two)
    assert isinstance(muon, Muon)
    before = {name: p.detach().clone() for name, p in one.named_parameters()}
    for network in (one, two):
        torch.manual_seed(2)
        for p in network.parameters():
            p.grad = torch.randn_like(p)
    muon.step()
    adamw.step()
    hidden = {"rnn.0.weight_hh", "rnn.1.weight_ih", "rnn.1.weight_hh"}
    for (name, p), other in zip(one.named_parameters(), two.parameters(), strict=True):
        if name in hidden:
            gradient = p.grad
            assert gradient is not None
            momentum = (1 - MOMENTUM) * gradient
            ahead = gradient.lerp(momentum, MOMENTUM)
            step = UPDATE_RMS * math.sqrt(max(p.shape)) * orthogonalise(ahead)
            expected = before[name] * (1 - 0.01 * 0.1) - 0.01 * step
            torch.testing.assert_close(p.detach(), expected)
        else:
            assert torch.equal(p, other), name


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("interval", [1, 2, 4])
def test_steps_between_orthogonalisations_repeat_the_update(
    interval: int, precision: torch.dtype
) -> None:
    """Every so many steps is that of momentum orthogonalised anew, times the scale."""
    torch.manual_seed(1)
    matrix = nn.Parameter(torch.zeros(4, 4))
    other = [{"params": [nn.Parameter(torch.ones(2))], "weight_decay": 0.0}]
    optimizer = Muon(
        [matrix],
        other,
        lr=0.1,
        beta2=0.99,
        weight_decay=0.0,
        precision=precision,
        scale=3.0,
        interval=interval,
    )
    momentum, update = torch.zeros(4, 4), torch.zeros(4, 4)
    for step in range(7):
        before = matrix.detach().clone()
        matrix.grad = torch.randn(4, 4)
        momentum = momentum.lerp(matrix.grad, 1 - MOMENTUM)
        if step % interval == 0:
            update = orthogonalise(matrix.grad.lerp(momentum, MOMENTUM), precision)
        optimizer.step()
        size = 0.1 * 3.0 * UPDATE_RMS * math.sqrt(4)
        torch.testing.assert_close(matrix.detach() - before, -size * update, rtol=1e-4, atol=1e-6)
    if interval > 1:
        assert optimizer.state[matrix]["step"] == 7


def test_one_rate_drives_both() -> None:
    network = Network(NetworkConfig(9, embed=5, hidden=6))
    network.initialise(1)
    optimizer = optimiser.build(TrainConfig(optimizer="muon"), network)
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    before = [p.detach().clone() for p in network.parameters()]
    for p in network.parameters():
        p.grad = torch.ones_like(p)
    optimizer.step()
    assert all(torch.equal(p, old) for p, old in zip(network.parameters(), before, strict=True))


def test_what_has_no_gradient_stays() -> None:
    still, moved = nn.Parameter(torch.ones(4, 4)), nn.Parameter(torch.ones(4, 4))
    other = [{"params": [nn.Parameter(torch.ones(2))], "weight_decay": 0.0}]
    optimizer = Muon(
        [still, moved], other, lr=0.1, beta2=0.99, weight_decay=0.0, precision=torch.float32
    )
    moved.grad = torch.eye(4)
    optimizer.step()
    assert torch.equal(still, torch.ones(4, 4))
    assert not torch.equal(moved, torch.ones(4, 4))


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_state_goes_round(cell: str) -> None:
    """What `get_state` gives, `set_state` puts back: the next step is the same."""
    config = TrainConfig(optimizer="muon", muon_interval=2)
    networks = [Network(NetworkConfig(9, cell=cell, embed=5, hidden=6)) for _ in range(2)]
    networks[0].initialise(1)
    first = optimiser.build(config, networks[0])
    for _ in range(3):
        for p in networks[0].parameters():
            p.grad = torch.sin(p.detach() * 7)
        first.step()
    networks[1].load_state_dict(networks[0].state_dict())
    second = optimiser.build(config, networks[1])
    optimiser.set_state(second, networks[1], optimiser.get_state(first, networks[0]))
    for network, optimizer in zip(networks, (first, second), strict=True):
        for p in network.parameters():
            p.grad = torch.cos(p.detach() * 5)
        optimizer.step()
    for p, q in zip(*(network.parameters() for network in networks), strict=True):
        assert torch.equal(p, q)
