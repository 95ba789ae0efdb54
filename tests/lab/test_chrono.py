"""Gate biases that suit a lag."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from charlm.lab.chrono import set_gate_biases


@pytest.mark.parametrize("cell", ["lstm", "lstm-peephole", "gru", "rnn"])
def test_forget_gates_begin_open_for_up_to_the_lag(cell: str) -> None:
    H = 200
    gates = {"gru": 3, "rnn": 1}.get(cell, 4)
    bias, other = torch.zeros(gates * H), torch.ones(gates * H)
    set_gate_biases(bias, other, cell, 50, np.random.default_rng(1))
    parts = bias.view(gates, H)
    if cell == "rnn":
        assert not bias.any()
        assert other.all()
        return
    assert not other.any()
    kept = torch.exp(parts[1])  # about the number of steps that a gate keeps: 1 / (1 − σ(b)) − 1
    assert float(kept.min()) >= 1
    assert 40 < float(kept.max()) <= 49
    assert not parts[2].any()
    assert torch.equal(parts[0], -parts[1] if gates == 4 else torch.zeros(H))
