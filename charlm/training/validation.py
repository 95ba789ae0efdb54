"""Measure the network in training on the validation text."""

from __future__ import annotations

import numpy as np
import torch

from ..lm import Ids
from ..measures import Measures
from ..models.segments import Segments
from ..network.network import Network

TOKENS_AT_ONCE = 128  # of each segment


def validate(network: Network, ids: Ids, eos: int, unk: int | None) -> Measures:
    """log P of the stream `ids`, with the state carried over.

    The stream is read in parallel segments, each after some warm-up context, so the result differs
    negligibly from that of one pass from start to end. `chars` and `bytes` are 0: only the caller
    knows the text.
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
            nats_TB, state = network.nats(
                torch.from_numpy(np.ascontiguousarray(x_TB)).to(device),
                torch.from_numpy(np.ascontiguousarray(y_TB)).to(device),
                state,
            )
            logprobs = nats_TB.double().cpu().numpy()
            scored = text.scored(begin, end).T
            nats += float(logprobs[scored].sum())
            if unk is not None:
                oov = scored & (y_TB == unk)
                unknown += int(oov.sum())
                unknown_nats += float(logprobs[oov].sum())
    finally:
        network.train(was_training)
    return Measures(nats, len(ids), 0, 0, unknown, unknown_nats)
