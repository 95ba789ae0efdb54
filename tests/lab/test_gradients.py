"""Gradients through time against the equations written out and finite differences."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torch import Tensor
from toys import random_tensors

from charlm.config import CELLS, NetworkConfig
from charlm.lab import gradients
from charlm.lab.gradients import flow
from charlm.network.network import Network, NetworkState
from charlm.text.corpus import Corpus

pytestmark = pytest.mark.usefixtures("one_thread")


EOS, STEPS, ROWS = 0, 12, 3


def network_of(cell: str, **options: int | bool) -> tuple[Network, dict[str, Tensor]]:
    """A network with random weights everywhere, and its tensors in float64."""
    config = NetworkConfig(11, cell=cell, embed=5, hidden=6, **options)  # type: ignore[arg-type]
    tensors = random_tensors(config, seed=4, scale=0.6)
    exact = {name: torch.from_numpy(value).double() for name, value in tensors.items()}
    return Network.of(config, tensors), exact


def some_ids(
    steps: int = STEPS, rows: int = ROWS
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.random.default_rng(1).integers(11, size=(steps + 1, rows))


def step_by_the_book(
    cell: str, w: Mapping[str, Tensor], x: Tensor, state: tuple[Tensor, ...]
) -> tuple[Tensor, ...]:
    """One step for one text: x (E,), state (h,) or (h, c), each (H,)."""
    a, u = w["weight_ih"] @ x + w["bias_ih"], w["weight_hh"] @ state[0] + w["bias_hh"]
    if cell == "rnn":
        return (torch.tanh(a + u),)
    if cell == "rnn-relu":
        return ((a + u).clamp(min=0),)
    if cell == "gru":
        (a_r, a_z, a_n), (u_r, u_z, u_n) = a.view(3, -1), u.view(3, -1)
        r, z = torch.sigmoid(a_r + u_r), torch.sigmoid(a_z + u_z)
        return ((1 - z) * torch.tanh(a_n + r * u_n) + z * state[0],)
    i, f, g, o = (a + u).view(4, -1)
    c = state[1]
    p_i, p_f, p_o = w.get("peephole", torch.zeros(3, len(c), dtype=c.dtype))
    c = torch.sigmoid(f + p_f * c) * c + torch.sigmoid(i + p_i * state[1]) * torch.tanh(g)
    return torch.sigmoid(o + p_o * c) * torch.tanh(c), c


def loss_by_the_book(
    config: NetworkConfig, w: Mapping[str, Tensor], ids: list[int], nudges: list[Tensor]
) -> Tensor:
    """−log P of the last of `ids`, with nudges[t] (all of the state in a row) added to s_t."""
    names = ("h0", "c0") if config.cell.startswith("lstm") else ("h0",)
    layers = [
        {name.split(".")[2]: value for name, value in w.items() if name.startswith(f"rnn.{k}.")}
        for k in range(config.layers)
    ]
    zero = torch.zeros(config.hidden, dtype=torch.float64)
    states = [tuple(layer.get(name, zero) for name in names) for layer in layers]
    for t, token in enumerate([EOS, *ids[:-1]]):
        x = w["embedding.weight"][token]
        for k, layer in enumerate(layers):
            states[k] = step_by_the_book(config.cell, layer, x, states[k])
            x = states[k][0] + x if config.residual and k > 0 else states[k][0]
        parts = torch.split(nudges[t], config.hidden)
        states = [
            tuple(s + parts[k * len(names) + j] for j, s in enumerate(state))
            for k, state in enumerate(states)
        ]
    outputs = torch.stack([state[0] for state in states])
    x = outputs.sum(0) if config.residual else outputs[-1]
    for k in range(config.dense):
        x = torch.tanh(w[f"dense.{k}.weight"] @ x + w[f"dense.{k}.bias"])
    logits = w["output.weight"] @ x + w["output.bias"]
    return logits.logsumexp(0) - logits[ids[-1]]


def width(config: NetworkConfig) -> int:
    """Numbers in a state."""
    return config.hidden * config.layers * (2 if config.cell.startswith("lstm") else 1)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    "options",
    [{}, {"layers": 2, "dense": 1, "learned_start": True}, {"layers": 2, "residual": True}],
    ids=["plain", "deep", "residual"],
)
def test_flow_is_the_gradient_of_the_equations_unrolled(
    cell: str, options: dict[str, int | bool]
) -> None:
    network, w = network_of(cell, **options)
    ids_TB = some_ids()
    squares = torch.zeros(STEPS, dtype=torch.float64)
    for row in ids_TB.T:
        zeros = [
            torch.zeros(width(network.config), dtype=torch.float64, requires_grad=True)
            for _ in range(STEPS + 1)
        ]
        loss_by_the_book(network.config, w, row.tolist(), zeros).backward()  # type: ignore[no-untyped-call]
        norms = [float(nudge.grad.norm()) for nudge in zeros[:0:-1] if nudge.grad is not None]
        squares += torch.tensor(norms).double() ** 2
    found = flow(network, ids_TB, eos=EOS)
    assert found.shape == (STEPS,)
    np.testing.assert_allclose(found, (squares / ROWS).sqrt().numpy(), rtol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_flow_agrees_with_finite_differences(cell: str) -> None:
    network, w = network_of(cell)
    config, steps, h = network.config, 4, 1e-5
    ids_TB = some_ids(steps, rows=1)
    ids = ids_TB[:, 0].tolist()
    for k, found in enumerate(flow(network, ids_TB, eos=EOS)):
        gradient = []
        for entry in range(width(config)):
            losses = []
            for sign in (h, -h):
                nudges = [torch.zeros(width(config), dtype=torch.float64) for _ in range(steps + 1)]
                nudges[steps - k][entry] = sign
                losses.append(float(loss_by_the_book(config, w, ids, nudges)))
            gradient.append((losses[0] - losses[1]) / (2 * h))
        assert found == pytest.approx(np.linalg.norm(gradient), rel=1e-5)


@pytest.mark.parametrize("rows", [1, 2])
def test_flow_holds_few_rows_at_once(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """All other rows change no more than the last digits."""
    network, _ = network_of("lstm", layers=2)
    ids_TB = some_ids()
    whole = flow(network, ids_TB, eos=EOS)
    monkeypatch.setattr(gradients, "MAX_HELD", rows * (STEPS + 1) * 2 * 6)
    read: list[int] = []
    tops = Network.hidden_states

    def counted(self: Network, x_TB: Tensor, state: NetworkState) -> tuple[Tensor, NetworkState]:
        read.append(x_TB.shape[1])
        return tops(self, x_TB, state)

    monkeypatch.setattr(Network, "hidden_states", counted)
    np.testing.assert_allclose(flow(network, ids_TB, eos=EOS), whole, rtol=1e-12)
    assert max(read) == rows


def test_flow_leaves_the_network_as_it_is_and_reads_no_dropout() -> None:
    config = NetworkConfig(11, embed=5, hidden=6, dropout_output=0.5, weight_drop=0.5)
    network = Network.of(config, random_tensors(config)).train()
    first, second = (flow(network, some_ids(), eos=EOS) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert network.training
    assert network.precision == network.output.bias.dtype == torch.float32
    assert all(p.grad is None for p in network.parameters())


# Experiments ----------------------------------------------------------------------------------


def experiment(corpus: Corpus, seed: int = 1) -> gradients.Gradients:
    return gradients.experiment(corpus, cells=["gru"], length=12, hidden=8, steps=2, seed=seed)


@pytest.fixture(scope="module")
def found(corpus: Corpus) -> gradients.Gradients:
    return experiment(corpus)


def test_the_same_seed_makes_the_same_gradients(corpus: Corpus, found: gradients.Gradients) -> None:
    assert experiment(corpus) == found
    assert experiment(corpus, seed=2).cells[0].fresh != found.cells[0].fresh


def test_plain_networks_obey_the_theorem(found: gradients.Gradients) -> None:
    for curve in found.scaled:
        for k, ratio in enumerate(curve.ratios):
            assert ratio <= curve.gain**k * (1 + 1e-5)  # fresh weights are orthogonal in fp32
    assert max(curve.ratio(12) for curve in found.scaled if curve.gain < 1) < 0.3


def test_open_forget_gates_let_the_gradient_through(found: gradients.Gradients) -> None:
    """Most of it flows through c, whose factor is f, about σ(b_f) in a fresh network."""
    far = [curve.ratio(12) for curve in found.biased]
    assert far == sorted(far)
    low, *_, high = found.biased
    assert low.norms[12] < 0.1 * low.norms[1]
    assert high.norms[12] > 0.5 * high.norms[1]


def test_the_language_is_followed_from_its_end_to_its_beginning(
    found: gradients.Gradients,
) -> None:
    (one,) = found.cells
    assert len(one.lagged.norms) == gradients.LAG
    assert 0.3 < one.recall < 0.7  # after four steps it guesses


def test_a_curve_tells_where_the_gradient_is_gone() -> None:
    curve = gradients.Curve("rnn", 1.0, (2.0, 1.0, 0.01, 0.1))
    assert curve.faded == 2
    assert curve.ratio(1) == 0.5
    assert math.isnan(curve.ratio(4))
    assert gradients.Curve("rnn", 1.0, (2.0, 1.0)).faded is None
