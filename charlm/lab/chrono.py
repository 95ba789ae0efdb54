"""Gate biases that suit a lag ("chrono initialisation", Tallec and Ollivier 2018)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


@torch.no_grad()
def set_gate_biases(bias: Tensor, cell: str, lag: int, rng: np.random.Generator) -> None:
    """Set gate biases for memories of up to `lag` steps; cells without gates are left alone.

    `bias`: what is added to the inputs, (G·H,), gates in torch's order.
    LSTM: b_f ~ log U(1, lag − 1), b_i = −b_f. GRU, whose z keeps: b_z ~ log U(1, lag − 1).
    """
    gates = 4 if cell.startswith("lstm") else 3 if cell == "gru" else 1
    H = len(bias) // gates
    drawn = torch.from_numpy(np.log(rng.uniform(1, max(lag, 3) - 1, H)).astype(np.float32))
    if gates == 4:  # i, f, g, o
        bias[:H] = -drawn
        bias[H : 2 * H] = drawn
    elif gates == 3:  # r, z, n
        bias[H : 2 * H] = drawn
