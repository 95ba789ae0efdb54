"""Bulk scoring in torch: for GPUs, and for CPUs on which its layers are faster than NumPy's.

Only `read`, and what is built on it, runs in torch; single steps stay in NumPy, which is faster.
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
    """A recurrent model whose `read` runs in torch on `device`; obeys `lm.CausalLM`."""

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
    """`lm` with bulk scoring in torch on `device`: auto (CUDA if available), cpu or cuda.

    In a mixture the networks are moved; other models stay as they are. Raises CharlmError if the
    device is not available.
    """

    def moved(inner: LanguageModel) -> LanguageModel:
        if not isinstance(inner, RecurrentLM):  # nothing for torch to run
            return inner
        chosen = choose_device(device)
        if chosen == "cuda" and not torch.cuda.is_available():
            raise CharlmError(
                "no CUDA device is available: leave `device` out, or use `device=cpu`"
            )
        return TorchLM(inner, chosen)

    return causal(lm.transformed(moved))
