"""Bulk scoring in torch: for GPUs, and for CPUs on which its layers are faster than NumPy's.

Only `read`, and what is built on it, runs in torch; single steps stay in NumPy, which is faster.
Products are fp32, so the numbers agree with NumPy's to 1e-4 a token.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

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

    def read(self, state: RecurrentState, ids_BT: Ids) -> tuple[Nats, RecurrentState]:
        """Log-probability of each of T further tokens, (B, T) nats, and the state after them."""

        def nats_of_tokens(x_ND: Tensor, y_N: Tensor) -> Tensor:
            return token_nats(x_ND, self.network.output.weight, self.network.output.bias, y_N)

        return self._in_chunks(state, ids_BT, np.empty(ids_BT.shape, np.float32), nats_of_tokens)

    def read_all(self, state: RecurrentState, ids_BT: Ids) -> tuple[Nats, RecurrentState]:
        """`read`, with the log-probability of every token in each place: (B, T, V) nats."""
        nats_BTV = np.empty((*ids_BT.shape, self.vocab_size), np.float32)

        def nats_of_all(x_ND: Tensor, y_N: Tensor) -> Tensor:
            logits: Tensor = self.network.output(x_ND)
            return logits.log_softmax(1)

        return self._in_chunks(state, ids_BT, nats_BTV, nats_of_all)

    @torch.inference_mode()
    def _in_chunks(
        self,
        state: RecurrentState,
        ids_BT: Ids,
        found: Nats,
        measure: Callable[[Tensor, Tensor], Tensor],
    ) -> tuple[Nats, RecurrentState]:
        """Fill `found` (B, T, …) with what is measured of the softmax's input and the tokens."""
        B, T = ids_BT.shape
        chunk = max(1, self.stack.chunk // max(B, 1))
        layers = tuple(
            tuple(torch.from_numpy(np.ascontiguousarray(part)).to(self.device) for part in cell)
            for cell in state.layers
        )
        for t in range(0, T, chunk):
            ids = np.ascontiguousarray(ids_BT[:, t : t + chunk].T, dtype=np.int64)
            y_TB = torch.from_numpy(ids).to(self.device)
            before_TBH, layers = self.network.hidden_before(y_TB, layers)
            x_ND = self.network.head(before_TBH).flatten(0, 1)
            nats = measure(x_ND, y_TB.flatten())
            nats = nats.view(*y_TB.shape, *nats.shape[1:])
            found[:, t : t + chunk] = nats.transpose(0, 1).cpu().numpy()
        after = tuple(tuple(part.cpu().numpy() for part in cell) for cell in layers)
        return found, RecurrentState(after)


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
