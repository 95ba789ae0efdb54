"""How good the network under training is on text it does not learn from."""

from __future__ import annotations

import numpy as np
import torch

from ..lm import Ids
from ..measures import Measures
from ..models.segments import Segments
from ..network.network import Network

TOKENS_AT_ONCE = 128  # of each segment


def validate(network: Network, ids: Ids, eos: int, unk: int | None) -> Measures:
    """log P of the stream `ids`, state carried over it, tokens counted and characters not.

    The stream is read in segments side by side, each after some of its past, so the result is
    that of one pass from start to end but for a negligible share of shortened memory. `chars` and
    `bytes` are 0: the caller knows the text.
    """
    text, device = Segments(ids, eos), network.output.bias.device
    was_training = network.training
    network.eval()
    state = network.start(text.rows)
    nats, unknown, unknown_nats = 0.0, 0, 0.0
    try:
        for begin in range(-text.warm_up, text.length, TOKENS_AT_ONCE):
            end = min(begin + TOKENS_AT_ONCE, text.length)
            tokens_BT = text.tokens(begin - 1, end).astype(np.int64)
            x_TB, y_TB = tokens_BT[:, :-1].T, tokens_BT[:, 1:].T
            got, state = network.nats(
                torch.from_numpy(np.ascontiguousarray(x_TB)).to(device),
                torch.from_numpy(np.ascontiguousarray(y_TB)).to(device),
                state,
            )
            logprobs = got.double().cpu().numpy()
            counted = text.counted(begin, end).T
            nats += float(logprobs[counted].sum())
            if unk is not None:
                out = counted & (y_TB == unk)
                unknown += int(out.sum())
                unknown_nats += float(logprobs[out].sum())
    finally:
        network.train(was_training)
    return Measures(nats, len(ids), 0, 0, unknown, unknown_nats)
