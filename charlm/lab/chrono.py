"""Gate biases that suit a lag ("chrono initialisation", Tallec and Ollivier 2018)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


@torch.no_grad()
def set_gate_biases(
    bias_ih: Tensor, bias_hh: Tensor, cell: str, lag: int, rng: np.random.Generator
) -> None:
    """Set gate biases for memories of up to `lag` steps; cells without gates are left alone.

    The two biases of a layer, (G·H,) each, gates in torch's order, are added together: `bias_hh`
    becomes zero, so that `bias_ih` alone counts.
    LSTM: b_f ~ log U(1, lag − 1), b_i = −b_f. GRU, whose z keeps: b_z ~ log U(1, lag − 1).
    """
    gates = 4 if cell.startswith("lstm") else 3 if cell == "gru" else 1
    if gates == 1:
        return
    H = len(bias_ih) // gates
    drawn = torch.from_numpy(np.log(rng.uniform(1, max(lag, 3) - 1, H)).astype(np.float32))
    bias_hh.zero_()
    bias_ih[H : 2 * H] = drawn  # f of i, f, g, o; z of r, z, n
    if gates == 4:
        bias_ih[:H] = -drawn
