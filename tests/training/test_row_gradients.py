"""Gradients by rows: the same numbers as those of the whole matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from charlm.config import NetworkConfig, TrainConfig
from charlm.network.network import Network, new_network
from charlm.training import optimiser
from charlm.training.muon import Muon
from charlm.training.row_gradients import parts, rows

V, D = 30, 4
IDS = np.random.default_rng(0).integers(0, V, 500)


def test_rows_of_a_dense_and_of_a_sparse_gradient() -> None:
    dense = torch.zeros(V, D)
    dense[[3, 7, 20]] = torch.randn(3, D)
    twice = torch.sparse_coo_tensor(
        torch.tensor([[20, 3, 7, 3, 9]]),
        torch.stack([dense[20], dense[3] - 1, dense[7], torch.ones(D), torch.zeros(D)]),
        (V, D),
        check_invariants=False,
    )
    for gradient in (dense, twice):
        found = rows(gradient)
        assert found.indices().tolist() == [[3, 7, 20]]
        torch.testing.assert_close(found.to_dense(), dense)


@pytest.mark.parametrize("how", [{"clip_norm": 0.1}, {"clip_value": 0.2}, {"clip_max": 0.3}])
def test_clipping_is_that_of_the_whole_matrix(how: dict[str, Any]) -> None:
    torch.manual_seed(0)
    gradient, other = torch.zeros(V, D), torch.randn(5)
    gradient[[1, 4]] = torch.randn(2, D)
    norms, found = [], []
    for kept in (gradient.clone(), rows(gradient.clone())):
        parameters = [nn.Parameter(torch.zeros(V, D)), nn.Parameter(torch.zeros(5))]
        parameters[0].grad, parameters[1].grad = kept, other.clone()
        norms.append(optimiser.clip(TrainConfig(**{"clip_norm": 0.0, **how}), parameters))
        assert len(parts(parameters)) == 2
        found.append(
            torch.cat([p.grad.to_dense().flatten() for p in parameters if p.grad is not None])
        )
    assert norms[0] == pytest.approx(norms[1])
    torch.testing.assert_close(*found)


def trained(*, tied: bool, by_row: bool) -> tuple[Network, Muon]:
    """A network with a sampled softmax, and its optimiser."""
    shape = NetworkConfig(V, embed=D, hidden=D, tied=tied)
    network = new_network(shape, TrainConfig(softmax_sample=5 if by_row else 0), IDS)
    optimizer = optimiser.build(TrainConfig(optimizer="muon", lr=0.01, weight_decay=0.0), network)
    assert isinstance(optimizer, Muon)
    assert network.rows_only == by_row
    return network, optimizer


@pytest.mark.parametrize("tied", [False, True])
def test_only_rows_that_were_used_move_and_those_as_adam_does(tied: bool) -> None:
    """At the first step, when there are no moments yet, as in Adam over all rows."""
    (one, lazy), (two, whole) = trained(tied=tied, by_row=True), trained(tied=tied, by_row=False)
    two.load_state_dict(one.state_dict())
    before = [p.detach().clone() for p in one.by_word()]
    torch.manual_seed(1)
    gradient = torch.zeros(V, D)
    gradient[[2, 5, 11]] = torch.randn(3, D)
    for p, q in zip(one.parameters(), two.parameters(), strict=True):
        q.grad = torch.randn_like(q) if q.shape != gradient.shape else gradient.clone()
        p.grad = q.grad.clone()
    for p in one.by_word():
        assert p.grad is not None
        p.grad = rows(p.grad)
    lazy.step()
    whole.step()
    for p, q in zip(one.parameters(), two.parameters(), strict=True):
        torch.testing.assert_close(p, q)
    others = [k for k in range(V) if k not in (2, 5, 11)]
    for p, old in zip(one.by_word(), before, strict=True):
        assert torch.equal(p[others], old[others])
        assert not torch.equal(p, old)
    state = optimiser.get_state(lazy, one)
    assert {name for name in state if name.startswith("embedding.weight/")} == {
        f"embedding.weight/{key}" for key in ("exp_avg", "exp_avg_sq", "step")
    }


def test_another_optimiser_updates_all_rows() -> None:
    network = new_network(NetworkConfig(V, embed=D, hidden=D), TrainConfig(softmax_sample=5), IDS)
    optimiser.build(TrainConfig(optimizer="adamw"), network)
    assert not network.rows_only
