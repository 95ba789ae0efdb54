"""Vanishing and exploding gradients: how much of the loss's gradient reaches k steps back."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from ..lm import Ids
from ..network import Network, NetworkState


def flow(network: Network, ids_TB: Ids, *, eos: int) -> npt.NDArray[np.float64]:
    """‖∂L_T/∂s_{T−k}‖₂ for k = 0 … T−1, (T,): the root mean square over the B rows.

    `ids_TB` is (T+1, B) tokens, read after `eos`; L_T = −log P(the last | those before), in nats;
    s_t is all that the network carries from step t to the next: h_t of every layer and, of an
    LSTM, c_t beside it. c_t counts because it is the path made to keep gradients: with c held
    fixed, h alone would show an LSTM forgetting what it remembers. L_T is taken as a function of
    s_{T−k} and the tokens after it, so no path counts twice (c_t's through h_t is h_t's); at k = 0
    only the uppermost h, from which the last token is predicted, has a gradient.

    Without dropout, in float64; `network` is left as it is.
    """
    exact = deepcopy(network).double().eval().requires_grad_(False)
    exact.precision = torch.float64
    ids = torch.from_numpy(np.asarray(ids_TB, np.int64))
    _, state = exact.tops(torch.full_like(ids[:1], eos), exact.start(ids.shape[1]))
    state = tuple(tuple(s.requires_grad_() for s in layer) for layer in state)
    states: list[NetworkState] = []
    for x_1B in torch.split(ids[:-1], 1):
        _, after = exact.tops(x_1B, state)
        state = tuple(tuple(s.clone() for s in layer) for layer in after)
        states.append(state)
    features_BD = exact.head(state[-1][0])
    logits_BV = functional.linear(features_BD, exact.output.weight, exact.output.bias)
    loss = functional.cross_entropy(logits_BV, ids[-1], reduction="sum")  # rows: each its own
    parts = [part for state in reversed(states) for layer in state for part in layer]
    found = torch.autograd.grad(loss, parts, materialize_grads=True)
    squares = torch.stack([g.square().sum() for g in found]).view(len(states), -1).sum(1)
    return np.asarray((squares / ids.shape[1]).sqrt().numpy(), np.float64)
