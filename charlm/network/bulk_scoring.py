"""Bulk scoring by torch: for a GPU, and for processors on which its layers beat NumPy's steps.

Only `follow`, and what stands on it, runs in torch; single steps stay NumPy's, which are quicker.
Products are fp32, so the numbers agree with NumPy's to 1e-4 a token.
"""

from __future__ import annotations

import numpy as np
import torch

from ..errors import CharlmError
from ..lm import CausalLM, Ids, LanguageModel, Nats, S, State, causal
from ..models.recurrent import RecurrentLM, RecurrentState
from .device import choose_device
from .loss import token_nats
from .network import Network


class TorchLM(RecurrentLM):
    """A recurrent model whose `follow` runs in torch on `device`; obeys `lm.CausalLM`."""

    def __init__(self, lm: RecurrentLM, device: str) -> None:
        super().__init__(lm.config, lm.tensors, lm.eos)
        self.device = torch.device(device)
        self.network = Network.of(lm.config, lm.tensors).to(self.device).eval()

    @torch.inference_mode()
    def read(self, state: RecurrentState, ids_BT: Ids) -> tuple[Nats, RecurrentState]:
        """Log-probability of each of T further tokens, (B, T) nats, and the state after them."""
        B, T = ids_BT.shape
        nats_BT = np.empty((B, T), np.float32)
        chunk = max(1, self.stack.chunk // max(B, 1))
        layers = tuple(
            tuple(torch.from_numpy(np.ascontiguousarray(part)).to(self.device) for part in cell)
            for cell in state.layers
        )
        weight, bias = self.network.output.weight, self.network.output.bias
        for t in range(0, T, chunk):
            ids = np.ascontiguousarray(ids_BT[:, t : t + chunk].T, dtype=np.int64)
            y_TB = torch.from_numpy(ids).to(self.device)
            before_TBH, layers = self.network.hidden_before(y_TB, layers)
            x_ND = self.network.head(before_TBH).flatten(0, 1)
            nats = token_nats(x_ND, weight, bias, y_TB.flatten()).view(y_TB.shape)
            nats_BT[:, t : t + chunk] = nats.t().cpu().numpy()
        after = tuple(tuple(part.cpu().numpy() for part in cell) for cell in layers)
        return nats_BT, RecurrentState(after)


def on_device(lm: CausalLM[S], device: str) -> CausalLM[State]:
    """`lm` with bulk scoring in torch on `device`: auto (CUDA where there is one), cpu or cuda.

    Raises CharlmError where the device is not there. Of a mixture the networks are moved; models
    that hold no recurrent network stay as they are.
    """

    def moved(inner: LanguageModel) -> LanguageModel:
        if not isinstance(inner, RecurrentLM):  # no network: nothing that torch could run
            return inner
        chosen = choose_device(device)
        if chosen == "cuda" and not torch.cuda.is_available():
            raise CharlmError("there is no CUDA device here: leave `device` out, or say cpu")
        return TorchLM(inner, chosen)

    return causal(lm.transformed(moved))
