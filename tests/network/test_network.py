"""The torch network and its NumPy twin are one model; initialisation is what it says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from charlm.config import CELLS, NetworkConfig, TrainConfig
from charlm.models.recurrent import RecurrentLM
from charlm.network.network import Network, new_network
from charlm.network.recurrent_layer import kept

BASE = NetworkConfig(vocab_size=13, embed=6, hidden=8)
VARIANTS = {
    "plain": BASE,
    "three layers": replace(BASE, layers=3),
    "residual": replace(BASE, layers=3, residual=True, learned_start=True),
    "dense": replace(BASE, dense=2),
    "tied": replace(BASE, embed=8, tied=True),
    "tied, projected": replace(BASE, tied=True, dense=1),
    "learned start": replace(BASE, learned_start=True, layers=2),
}


def network_of(config: NetworkConfig) -> Network:
    network = Network(config)
    network.initialise(seed=3)
    with torch.no_grad():  # biases, peepholes and starts are zero at first: give them values
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.1)
    return network.eval()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_numpy_equals_torch(cell: str, variant: str) -> None:
    config = replace(VARIANTS[variant], cell=cell)
    network = network_of(config)
    lm = RecurrentLM(config, network.tensors(), eos=0)
    rng = np.random.default_rng(0)
    ids_BT = rng.integers(config.vocab_size, size=(4, 17))
    x_TB = torch.from_numpy(np.concatenate([np.zeros((4, 1), np.int64), ids_BT[:, :-1]], 1).T)
    y_TB = torch.from_numpy(ids_BT.T.copy())
    nats_TB, _ = network.nats(x_TB.contiguous(), y_TB, network.start(4))
    ours_BT, _ = lm.read(lm.start(4), ids_BT)
    np.testing.assert_allclose(ours_BT, nats_TB.numpy().T, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_tensors_have_the_names_and_shapes_of_the_configuration(cell: str) -> None:
    for config in VARIANTS.values():
        config = replace(config, cell=cell)
        shapes = {n: t.shape for n, t in network_of(config).tensors().items()}
        assert shapes == config.shapes()
        parameters = sum(p.numel() for p in Network(config).parameters())
        assert parameters == sum(int(np.prod(s)) for s in shapes.values())


def test_initialisation() -> None:
    network = Network(replace(BASE, layers=2))
    network.initialise(seed=1)
    for layer in network.layers():
        H = 8
        for gate in range(4):
            block = layer.weight_hh[gate * H : (gate + 1) * H]
            torch.testing.assert_close(block @ block.t(), torch.eye(H), atol=1e-5, rtol=0)
        assert torch.equal(layer.bias_ih[H : 2 * H], torch.ones(H))  # the forget gate
        assert layer.bias_ih[:H].abs().max() == 0
    again = Network(replace(BASE, layers=2))
    again.initialise(seed=1)
    for one, two in zip(network.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize(
    "place", ["dropout_input", "dropout_between", "dropout_output", "weight_drop"]
)
def test_dropout_acts_in_training_only(place: str) -> None:
    settings: dict[str, Any] = {"layers": 2, place: 0.5}
    config = replace(BASE, **settings)
    network = network_of(config)
    x_TB = torch.randint(13, (7, 5))
    still = [network.features(x_TB, x_TB, network.start(5))[0] for _ in range(2)]
    assert torch.equal(*still)
    network.train()
    moving = [network.features(x_TB, x_TB, network.start(5))[0] for _ in range(2)]
    assert not torch.equal(*moving)


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5])
def test_a_mask_drops_so_many_and_keeps_the_mean(rate: float) -> None:
    torch.manual_seed(1)
    mask = kept(torch.ones(301, 333), rate)  # not a multiple of eight entries
    assert sorted(set(mask.flatten().tolist())) == pytest.approx([0, 1 / (1 - rate)], rel=0.01)
    assert float((mask == 0).float().mean()) == pytest.approx(rate, abs=0.01)
    assert float(mask.mean()) == pytest.approx(1, abs=0.01)


def test_dropout_is_locked_over_time_and_differs_between_rows() -> None:
    config = replace(BASE, embed=64, dropout_input=0.5)
    network = network_of(config)
    network.train()
    x_TBD = network._drop(torch.ones(7, 5, 64), 0.5)
    assert torch.equal(x_TBD, x_TBD[:1].expand(7, -1, -1))
    assert not torch.equal(x_TBD[0, 0], x_TBD[0, 1])


@pytest.mark.parametrize("residual", [False, True])
def test_what_leaves_the_stack_is_known_before_and_after_every_token(residual: bool) -> None:
    network = network_of(replace(BASE, layers=3, residual=residual, learned_start=True))
    ids_TB = torch.randint(13, (7, 3))
    state = network.start(3)
    before_TBH, after = network.hidden_before(ids_TB, state)
    for x_1B, before_BH in zip(torch.split(ids_TB, 1), before_TBH, strict=True):
        torch.testing.assert_close(network.top(state), before_BH)
        left_1BH, state = network.hidden_states(x_1B, state)
        torch.testing.assert_close(network.top(state), left_1BH[0])
        lower = sum(layer[0] for layer in state[:-1]) if residual else 0
        torch.testing.assert_close(left_1BH[0] - lower, state[-1][0])
    torch.testing.assert_close(network.top(after), network.top(state))


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_state_carried_equals_one_long_pass(cell: str, residual: bool) -> None:
    network = network_of(replace(BASE, cell=cell, layers=2, residual=residual))
    x_TB, y_TB = torch.randint(13, (12, 3)), torch.randint(13, (12, 3))
    whole, _ = network.nats(x_TB, y_TB, network.start(3))
    first, state = network.nats(x_TB[:5], y_TB[:5], network.start(3))
    second, _ = network.nats(x_TB[5:], y_TB[5:], state)
    torch.testing.assert_close(torch.cat([first, second]), whole, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_bf16_is_close_and_trains(cell: str) -> None:
    network = network_of(replace(BASE, cell=cell))
    x_TB, y_TB = torch.randint(13, (6, 4)), torch.randint(13, (6, 4))
    exact, _ = network(x_TB, y_TB, network.start(4))
    network.precision = torch.bfloat16
    network.train()
    loss, state = network(x_TB, y_TB, network.start(4))
    loss.backward()
    assert abs(float(loss.detach()) - float(exact.detach())) < 0.05
    assert all(s.dtype == torch.float32 for layer in state for s in layer)
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


def test_a_network_starts_from_the_frequencies_of_its_text() -> None:
    ids = np.array([1, 1, 1, 4, 4, 12])
    expected = np.ones(13) / 19  # every token counted once more, six seen
    expected[[1, 4, 12]] = 4 / 19, 3 / 19, 2 / 19
    bias = new_network(BASE, TrainConfig(), ids).output.bias
    np.testing.assert_allclose(bias.detach().exp().numpy(), expected, rtol=1e-6)
    assert (new_network(BASE, TrainConfig()).output.bias == 0).all()
