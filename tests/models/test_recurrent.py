"""The NumPy cells against torch's, and against a slow loop where torch has none."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from toys import EOS, random_tensors, recurrent_lm, variety

from charlm.config import CELLS, NetworkConfig
from charlm.errors import CharlmError
from charlm.models import cells, padding, recurrent
from charlm.models.cells import times
from charlm.models.padding import batches
from charlm.models.recurrent import RecurrentLM

Double = npt.NDArray[np.float64]
Tensors = dict[str, npt.NDArray[np.float32]]

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
            W_i, W_f, W_g, W_o = np.split(w[f"rnn.{k}.weight_ih"], 4)
            U_i, U_f, U_g, U_o = np.split(w[f"rnn.{k}.weight_hh"], 4)
            b_i, b_f, b_g, b_o = np.split(w[f"rnn.{k}.bias_ih"] + w[f"rnn.{k}.bias_hh"], 4)
            p_i, p_f, p_o = w[f"rnn.{k}.peephole"]
            old_h, old_c, new_h, new_c = h[k], c[k], np.zeros(H), np.zeros(H)
            for u in range(H):
                i = sigmoid(W_i[u] @ x + U_i[u] @ old_h + b_i[u] + p_i[u] * old_c[u])
                f = sigmoid(W_f[u] @ x + U_f[u] @ old_h + b_f[u] + p_f[u] * old_c[u])
                g = np.tanh(W_g[u] @ x + U_g[u] @ old_h + b_g[u])
                new_c[u] = f * old_c[u] + i * g
                o = sigmoid(W_o[u] @ x + U_o[u] @ old_h + b_o[u] + p_o[u] * new_c[u])
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


def test_dense_and_projection_by_hand() -> None:
    lm = recurrent_lm("gru", dense=2, tied=True, seed=9)
    w = random_tensors(lm.config, seed=9)
    state = lm.advance(lm.start(1), np.array([4]))
    u = state.layers[-1][0][0]
    for k in range(2):
        u = np.tanh(w[f"dense.{k}.weight"] @ u + w[f"dense.{k}.bias"])
    z = w["embedding.weight"] @ (w["projection.weight"] @ u) + w["output.bias"]
    np.testing.assert_allclose(lm.predict(state)[0], z - np.log(np.exp(z).sum()), atol=1e-5)


def test_start_follows_eos_from_the_initial_state() -> None:
    lm = recurrent_lm("lstm", learned_start=True, layers=2)
    state = lm.advance(lm.stack.initial, np.array([EOS]))
    np.testing.assert_array_equal(lm.predict(lm.start(2))[1], lm.predict(state)[0])


@pytest.mark.parametrize(
    ("room", "name"),
    [
        (recurrent, "TABLE_BYTES"),
        (padding, "MAX_ENTRIES"),
        (cells, "MAX_ROWS_ONE_BY_ONE"),
        (padding, "MAX_BATCH"),
    ],
)
def test_no_limit_changes_the_numbers(
    room: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    seqs = [rng.integers(11, size=n) for n in (0, 3, 70, 1, 33, 70, 2)]
    expected = {key: lm.logprobs(seqs) for key, lm in variety().items()}
    monkeypatch.setattr(room, name, 1)
    for key, lm in variety().items():
        for a, b in zip(expected[key], lm.logprobs(seqs), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)


def test_intermediate_results_stay_small() -> None:
    lm = recurrent_lm("lstm", 5000, hidden=32)
    seen: list[int] = []
    logits = lm.head.logits

    def watch(top: cells.Array) -> cells.Array:
        z = logits(top)
        seen.append(z.nbytes)
        return z

    lm.head.logits = watch  # type: ignore[method-assign, assignment]
    lm.logprobs([np.zeros(9000, np.int64)])
    assert max(seen) <= 32 << 20
    assert sum(seen) >= 9000 * 5000 * 4


@given(st.lists(st.integers(0, 300), max_size=300))
def test_batches_waste_at_most_half(lengths: list[int]) -> None:
    groups = list(batches(lengths))
    assert sorted(i for g in groups for i in g) == [i for i, n in enumerate(lengths) if n]
    for group in groups:
        longest = lengths[group[0]]
        assert all(longest >= lengths[i] >= longest / 2 for i in group)
        assert len(group) <= padding.MAX_BATCH


def test_times_is_a_product() -> None:
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((12, 5)).astype(np.float32)
    for rows in (0, 1, 2, 6, 7, 20):
        h = rng.standard_normal((rows, 5)).astype(np.float32)
        np.testing.assert_allclose(times(weight, h), h @ weight.T, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.pop("output.bias"), "'output.bias' is missing"),
        (lambda t: t.update(more=np.zeros(1, np.float32)), "'more' does not belong"),
        (lambda t: t.update({"output.bias": np.zeros(3, np.float32)}), r"float32 \(3,\), not"),
        (lambda t: t.update({"output.bias": np.zeros(11)}), "is float64"),
    ],
)
def test_tensors_must_fit_the_configuration(change: Callable[[Tensors], None], words: str) -> None:
    config = NetworkConfig(11, embed=6, hidden=7)
    tensors = random_tensors(config)
    change(tensors)
    with pytest.raises(CharlmError, match=words):
        RecurrentLM(config, tensors, EOS)
