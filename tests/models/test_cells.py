"""The NumPy cells against torch's and against their equations."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn
from toys import EOS, random_tensors, recurrent_lm

from charlm.config import CELLS, NetworkConfig
from charlm.models.arithmetic import times
from charlm.models.cells import CELL_CLASSES
from charlm.models.recurrent import RecurrentLM

Double = npt.NDArray[np.float64]
B, T = 5, 40
TORCH: dict[str, Callable[..., nn.RNNBase]] = {
    "rnn": lambda *sizes: nn.RNN(*sizes, nonlinearity="tanh"),
    "rnn-relu": lambda *sizes: nn.RNN(*sizes, nonlinearity="relu"),
    "lstm": nn.LSTM,
    "gru": nn.GRU,
}


def torch_logprobs(lm: RecurrentLM, ids_BT: npt.NDArray[np.int64]) -> Double:
    """Give log P of `ids` after <EOS>, by torch's own layers with the same weights."""
    config = lm.config
    tensors = {n: torch.from_numpy(t) for n, t in random_tensors(config, seed=3).items()}
    rnn = TORCH[config.cell](config.embed, config.hidden, config.layers)
    kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    with torch.no_grad():
        for k in range(config.layers):
            for kind in kinds:
                getattr(rnn, f"{kind}_l{k}").copy_(tensors[f"rnn.{k}.{kind}"])
        before = np.pad(ids_BT, ((0, 0), (1, 0)), constant_values=EOS)[:, :-1]
        x_TBE = tensors["embedding.weight"][torch.from_numpy(before.T.copy())]
        top_TBH, _ = rnn(x_TBE)
        logits = top_TBH @ tensors["output.weight"].T + tensors["output.bias"]
        nats = logits.log_softmax(-1).numpy().transpose(1, 0, 2)
    return np.take_along_axis(nats, ids_BT[..., None], axis=2)[..., 0]


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", TORCH)
def test_cells_equal_torch(cell: str, layers: int) -> None:
    lm = recurrent_lm(cell, 13, embed=9, hidden=16, layers=layers, seed=3)
    ids_BT = np.random.default_rng(1).integers(13, size=(B, T))
    expected = torch_logprobs(lm, ids_BT)
    nats, _ = lm.read(lm.start(B), ids_BT)
    np.testing.assert_allclose(nats, expected, atol=1e-5)
    state = lm.start(B)
    for t in range(T):
        predicted = lm.predict(state)
        np.testing.assert_allclose(predicted[np.arange(B), ids_BT[:, t]], expected[:, t], atol=1e-5)
        state = lm.advance(state, ids_BT[:, t])


def sigmoid(x: Double) -> Double:
    return np.asarray(1 / (1 + np.exp(-x)))


def peephole_logprobs(
    tensors: dict[str, npt.NDArray[np.float32]], layers: int, ids: list[int]
) -> list[float]:
    """Gers and Schmidhuber's equations, one unit of one layer at a time, in float64."""
    w = {name: tensor.astype(np.float64) for name, tensor in tensors.items()}
    H = w["rnn.0.h0"].size
    h = [w[f"rnn.{k}.h0"] for k in range(layers)]
    c = [w[f"rnn.{k}.c0"] for k in range(layers)]
    result = []
    for before, wanted in pairwise([EOS, *ids]):
        x = w["embedding.weight"][before]
        for k in range(layers):
            U_i, U_f, U_g, U_o = np.split(w[f"rnn.{k}.weight_ih"], 4)
            W_i, W_f, W_g, W_o = np.split(w[f"rnn.{k}.weight_hh"], 4)
            b_i, b_f, b_g, b_o = np.split(w[f"rnn.{k}.bias_ih"] + w[f"rnn.{k}.bias_hh"], 4)
            p_i, p_f, p_o = w[f"rnn.{k}.peephole"]
            old_h, old_c, new_h, new_c = h[k], c[k], np.zeros(H), np.zeros(H)
            for u in range(H):
                i = sigmoid(U_i[u] @ x + W_i[u] @ old_h + b_i[u] + p_i[u] * old_c[u])
                f = sigmoid(U_f[u] @ x + W_f[u] @ old_h + b_f[u] + p_f[u] * old_c[u])
                g = np.tanh(U_g[u] @ x + W_g[u] @ old_h + b_g[u])
                new_c[u] = f * old_c[u] + i * g
                o = sigmoid(U_o[u] @ x + W_o[u] @ old_h + b_o[u] + p_o[u] * new_c[u])
                new_h[u] = o * np.tanh(new_c[u])
            h[k], c[k], x = new_h, new_c, new_h
        z = w["output.weight"] @ x + w["output.bias"]
        result.append(float(z[wanted] - np.log(np.exp(z).sum())))
    return result


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_peephole_lstm_equals_its_equations(layers: int) -> None:
    config = NetworkConfig(
        13, cell="lstm-peephole", embed=5, hidden=6, layers=layers, learned_start=True
    )
    tensors = random_tensors(config, seed=4, scale=0.8)
    lm = RecurrentLM(config, tensors, EOS)
    ids = np.random.default_rng(1).integers(13, size=T)
    (nats,) = lm.logprobs([ids])
    expected = peephole_logprobs(tensors, layers, [int(i) for i in ids])
    np.testing.assert_allclose(nats, expected, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_huge_weights_do_not_overflow(cell: str) -> None:
    lm = recurrent_lm(cell, scale=30.0 if cell != "rnn-relu" else 1.0)
    (nats,) = lm.logprobs([np.arange(11).repeat(3)])
    assert np.isfinite(nats).all()


def test_times_is_a_product() -> None:
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((12, 5)).astype(np.float32)
    for rows in (0, 1, 2, 6, 7, 20):
        h = rng.standard_normal((rows, 5)).astype(np.float32)
        np.testing.assert_allclose(times(weight, h), h @ weight.T, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_gates_are_the_textbook_s(cell: str) -> None:
    config = NetworkConfig(5, cell=cell, embed=3, hidden=4)
    w = {n.removeprefix("rnn.0."): t for n, t in random_tensors(config, 3, 0.9).items()}
    rng = np.random.default_rng(5)
    x, h, c = rng.normal(size=(2, 3)), rng.normal(size=(2, 4)), 2 * rng.normal(size=(2, 4))
    own = CELL_CLASSES[cell](w)
    state = tuple(part.astype(np.float32) for part in ((h, c) if "lstm" in cell else (h,)))
    x_BG = own.inputs(x.astype(np.float32))
    before = [part.copy() for part in (x_BG, *state)]
    found = own.gates(x_BG, state)
    a = x @ w["weight_ih"].T + w["bias_ih"] + h @ w["weight_hh"].T + w["bias_hh"]
    blocks = np.split(a, config.gates, axis=1)
    expected: dict[str, Double] = {}
    if cell == "gru":
        expected = {"r": sigmoid(blocks[0]), "z": sigmoid(blocks[1])}
    elif cell.startswith("lstm"):
        i, f, g, o = blocks
        p = w["peephole"] if cell == "lstm-peephole" else np.zeros((3, 4))
        i, f = sigmoid(i + p[0] * c), sigmoid(f + p[1] * c)
        after = f * c + i * np.tanh(g)
        expected = {"i": i, "f": f, "o": sigmoid(o + p[2] * after)}
    assert list(found) == list(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=2e-6)
    for part, copy in zip((x_BG, *state), before, strict=True):
        np.testing.assert_array_equal(part, copy)  # nothing is changed in place
