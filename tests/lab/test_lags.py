"""Remembering one symbol over a lag."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from charlm.config import CELLS, NetworkConfig
from charlm.lab import lags, memory
from charlm.network.network import Network


@given(st.integers(1, 40), st.integers(1, 30), st.integers(0, 9))
def test_the_first_symbol_determines_the_end(lag: int, count: int, seed: int) -> None:
    task = lags.task(np.random.default_rng(seed), lag, count)
    assert task.x_TB.shape == (lag, count)  # the end comes `lag` symbols after the first
    assert task.counts_TB.sum() == count
    assert task.counts_TB[-1].all()
    np.testing.assert_array_equal(task.x_TB[0] - lags.FIRST, task.y_TB[-1] - lags.END)
    assert (task.x_TB[1:] < lags.FILLERS).all()


@pytest.mark.parametrize("order", memory.ORDERS)
def test_an_ngram_sees_as_far_as_its_window(order: int) -> None:
    for lag in range(1, 8):
        share = lags.recall_of_ngram(order, lag, seed=1)
        if lag < order:
            assert share == 1.0
        else:
            assert abs(share - 0.5) < 0.08


@pytest.mark.parametrize("cell", CELLS)
def test_gates_begin_with_biases_for_the_lag(cell: str) -> None:
    network = Network(NetworkConfig(9, cell=cell, embed=4, hidden=200))
    network.initialise(1)
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    lags.chrono(network, 50, seed=1)
    after = dict(network.named_parameters())
    changed = [name for name, p in after.items() if not torch.equal(p, before[name])]
    assert changed == ([] if cell.startswith("rnn") else ["rnn.0.bias_ih"])
    if changed:
        kept = after["rnn.0.bias_ih"].detach()[200:400]  # f of LSTMs, z of the GRU
        assert 0 <= float(kept.min()) < 1.5
        assert 3.5 < float(kept.max()) <= np.log(49) + 1e-6
    if cell.startswith("lstm"):
        assert torch.equal(after["rnn.0.bias_ih"][:200], -after["rnn.0.bias_ih"][200:400])


def test_cells_learn_a_short_lag_and_not_without_training() -> None:
    for cell in ("rnn", "lstm", "gru"):
        share, taken = lags.recall(lags.Job(cell, 4, seed=1, hidden=32, max_steps=150))
        assert share > 0.99
        assert 10 < taken < 150
        assert lags.recall(lags.Job(cell, 4, seed=1, hidden=32, max_steps=1))[0] < 0.85
