"""Starts, ways of training and reservoirs: each part does what its name says."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn

from charlm.errors import CharlmError
from charlm.lab import echo, hessian_free, ways
from charlm.lab.lag_network import CHRONO, PLAIN_STARTS, STARTS, LagNetwork, accuracy, draw
from charlm.lab.lags import VOCAB_SIZE
from charlm.lab.start import experiment
from charlm.lab.ways import ADAM, CURVATURE, WAYS, Job, follow, train

pytestmark = pytest.mark.usefixtures("one_thread")


def weights(start: str, name: str) -> torch.Tensor:
    found: torch.Tensor = getattr(LagNetwork(start, 20, 1).recurrent, name)
    return found.detach()


def test_the_identity_keeps_a_state_where_nothing_comes_in() -> None:
    network = LagNetwork("identity", 20, 1)
    state = torch.rand(1, 3, 64)
    _, after = network.recurrent(torch.zeros(50, 3, VOCAB_SIZE), state)
    torch.testing.assert_close(after, state, rtol=0, atol=0)


def test_starts_are_what_they_are_called() -> None:
    own = {start: weights(start, "weight_hh_l0") for start in PLAIN_STARTS}
    assert own["small"].std() == pytest.approx(0.01, rel=0.1)
    assert own["uniform"].abs().max() <= 1 / 8
    assert torch.equal(own["identity"], torch.eye(64))
    product = own["orthogonal"] @ own["orthogonal"].T
    torch.testing.assert_close(product, torch.eye(64), rtol=0, atol=1e-5)
    for start in PLAIN_STARTS:
        assert not weights(start, "bias_ih_l0").any()
    chrono = weights(CHRONO, "bias_ih_l0")
    torch.testing.assert_close(chrono[:64], -chrono[64:128])
    assert 0 <= chrono[64:128].min() < chrono[64:128].max() <= np.log(19)


@pytest.mark.parametrize("start", STARTS)
def test_the_same_seed_makes_the_same_network(start: str) -> None:
    first, same, other = (LagNetwork(start, 9, seed) for seed in (1, 1, 2))
    asked = draw(np.random.default_rng(0), 9, 7)
    assert first(asked[0]).shape == (7, 2)
    assert torch.equal(first(asked[0]), same(asked[0]))
    assert not torch.equal(first(asked[0]), other(asked[0]))


@pytest.mark.parametrize("radius", [0.2, 1.0, 1.6])
def test_a_reservoir_has_the_spectral_radius_asked_for(radius: float) -> None:
    weight_HH = radius * echo.reservoir(np.random.default_rng(1), 50)
    assert echo.spectral_radius(weight_HH) == pytest.approx(radius)


def test_a_readout_recovers_a_linear_function() -> None:
    generator = torch.Generator().manual_seed(1)
    s_BH = torch.randn(100, 6, dtype=torch.float64, generator=generator)
    v_H = torch.arange(6.0, dtype=torch.float64)
    torch.testing.assert_close(echo.readout(s_BH, s_BH @ v_H, 1e-12), v_H)
    shrunk = echo.readout(s_BH, s_BH @ v_H, 10.0)
    assert shrunk.norm() < 0.5 * v_H.norm()


def test_a_small_reservoir_recalls_what_is_near() -> None:
    found = echo.recall_by_radius(echo.Job(2, 1, units=30))
    assert len(found) == len(echo.RADII)
    assert found[echo.RADII.index(1.0)] > 0.99


def test_conjugate_gradients_solve_a_small_system() -> None:
    A = torch.tensor([[3.0, 1.0, 0.0], [1.0, 2.0, 0.5], [0.0, 0.5, 1.0]], dtype=torch.float64)
    b = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    x, applied = hessian_free.conjugate_gradients(lambda v: A @ v, b, torch.zeros_like(b), 10)
    torch.testing.assert_close(A @ x, b, rtol=0, atol=1e-2)
    assert applied <= 4


def test_the_curvature_is_that_of_the_loss_of_a_linear_model() -> None:
    """Where logits are linear in the weights, Gauss–Newton is the Hessian."""
    torch.manual_seed(1)
    model = nn.Linear(4, 2).double()
    asked = torch.randn(9, 4, dtype=torch.float64), torch.randint(2, (9,))
    near = hessian_free.Surroundings(model, asked)
    gradient, product = near.gradient_and_curvature()

    def loss(theta: torch.Tensor) -> torch.Tensor:
        return nn.functional.cross_entropy(near.logits(theta), asked[1])

    v = torch.randn(10, dtype=torch.float64)
    (by_theta,) = torch.autograd.grad(loss(near.theta_P), near.theta_P, create_graph=True)
    (by_theta_along_v,) = torch.autograd.grad(by_theta, near.theta_P, v)
    torch.testing.assert_close(gradient, by_theta.detach())
    torch.testing.assert_close(product(v), by_theta_along_v)


def test_hessian_free_lowers_the_loss_and_counts_its_passes() -> None:
    network = LagNetwork("orthogonal", 3, 1, hidden=8)
    asked = draw(np.random.default_rng(1), 3, 64)
    before = hessian_free.Surroundings(network, asked)
    updates = hessian_free.hessian_free(network, lambda: asked)
    costs = [next(updates) for _ in range(6)]
    after = hessian_free.Surroundings(network, asked)
    assert after.loss(after.theta_P) < 0.1 < before.loss(before.theta_P)
    assert all(4 < cost <= hessian_free.CG_STEPS + 4 + hessian_free.HALVINGS for cost in costs)


@pytest.mark.parametrize("way", WAYS)
def test_a_short_lag_is_learned_within_the_budget(way: str) -> None:
    rate = ways.RATES.get(way, 0.0)
    trial = train(Job("orthogonal", way, 2, 1, 400, rate))
    assert trial.accuracy > 0.99
    spent = [at for at, _ in trial.curve]
    assert spent == sorted(set(spent))
    assert spent[-1] <= 400
    assert trial.good_after in spent
    assert trial.radii is not None
    assert trial.radii[0] == pytest.approx(1, abs=1e-4)


def test_what_costs_more_than_is_left_does_not_count() -> None:
    network = LagNetwork("small", 3, 1, hidden=4)
    asked = draw(np.random.default_rng(1), 3, 10)
    right = accuracy(network, asked)
    assert follow(network, iter([7, 20, 5, 90]), 50, asked) == ((0, right), (27, right))
    assert follow(network, iter([4, 5, 2, 5]), 50, asked) == ((0, right), (11, right))
    assert follow(network, iter([25, 25, 5]), 50, asked)[-1] == (50, right)
    assert [spent for spent, _ in train(Job("small", CURVATURE, 3, 1, 5)).curve] == [0]


def test_training_ends_where_nothing_is_left_to_learn() -> None:
    network = LagNetwork("small", 3, 1, hidden=4)
    x_TBV, _ = draw(np.random.default_rng(1), 3, 10)
    answers = network(x_TBV).argmax(1)
    assert len(follow(network, iter([10] * 99), 990, (x_TBV, answers))) == ways.KEPT


def test_the_experiment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(echo, "TRAIN_SENTENCES", 50)
    first, same = (experiment(lag=3, steps=2, seeds=2) for _ in range(2))
    assert first == same
    assert first.seeds == (1, 2)
    assert first.lags == [3, 5, 6]
    assert [one.start for one in first.starts] == [start for start in STARTS for _ in range(2)]
    assert [one.way for one in first.ways] == [way for way in WAYS for _ in range(2)]
    assert [one.radii is None for one in first.starts] == [False] * 8 + [True] * 4
    assert all(one.way == ADAM for one in first.starts)
    data = json.loads(json.dumps(first.as_dict()))
    assert data["gradient_evaluations"] == 5
    assert len(data["echo"]) == 6
    assert [len(panel.lines) for panel in first.panels()] == [12, 8, 3]
    right, low, high = first.best_radii(3)
    assert {low, high} <= set(echo.RADII)
    assert low <= high
    assert right == max(sum(own) / 2 for own in first.echo(3))


def test_what_cannot_be_asked() -> None:
    with pytest.raises(CharlmError, match="from 2 to 200"):
        experiment(lag=1)
    with pytest.raises(CharlmError, match="`lr` must be above 0"):
        experiment(rate=0.0)
    with pytest.raises(CharlmError, match="`lr` must be above 0"):
        experiment(rate=float("nan"))
    with pytest.raises(CharlmError, match="at least 1"):
        experiment(steps=0)
