"""How good the network under training is on text it does not learn from."""

from __future__ import annotations

import numpy as np
import torch

from ..lm import Ids
from ..measures import Measures
from ..network.network import Network

PARALLEL_SEGMENTS = 32  # parallel segments of the validation stream
WARM_UP_TOKENS = 128  # tokens of context read before a segment begins to count
TOKENS_AT_ONCE = 128  # tokens of each row read at once


def validate(network: Network, ids: Ids, eos: int, unk: int | None) -> Measures:
    """log P of the stream `ids`, state carried over it, tokens counted and characters not.

    The stream is cut into up to ROWS segments read side by side, each after WARM tokens of its
    past, so the result is that of one pass from start to end but for a negligible share of
    shortened memory. `chars` and `bytes` are 0: the caller knows the text.
    """
    N = len(ids)
    rows = max(1, min(PARALLEL_SEGMENTS, N // (2 * WARM_UP_TOKENS)))
    length = -(-N // rows)
    warm = WARM_UP_TOKENS if rows > 1 else 0
    device = network.output.bias.device
    was_training = network.training
    network.eval()
    state = network.start(rows)
    nats, unknown, unknown_nats = 0.0, 0, 0.0
    begins = np.arange(rows) * length  # (B,)
    try:
        for at in range(-warm, length, TOKENS_AT_ONCE):
            offset = np.arange(at, min(at + TOKENS_AT_ONCE, length))[:, None]  # (T, 1)
            place_TB = begins + offset
            inside = (place_TB >= 0) & (place_TB < N)
            y_TB = np.where(inside, ids[place_TB.clip(0, N - 1)], eos).astype(np.int64)
            before = place_TB - 1
            x_TB = np.where((before >= 0) & (before < N), ids[before.clip(0, N - 1)], eos).astype(
                np.int64
            )
            got, state = network.nats(
                torch.from_numpy(x_TB).to(device), torch.from_numpy(y_TB).to(device), state
            )
            logprobs = got.double().cpu().numpy()
            counted = inside & (offset >= 0)
            nats += float(logprobs[counted].sum())
            if unk is not None:
                out = counted & (y_TB == unk)
                unknown += int(out.sum())
                unknown_nats += float(logprobs[out].sum())
    finally:
        network.train(was_training)
    return Measures(nats, N, 0, 0, unknown, unknown_nats)


def scale_to(measures: Measures, text_tokens: int, chars: int, size: int) -> Measures:
    """`measures` of the first tokens of a text with its characters and bytes in proportion."""
    part = measures.tokens / max(1, text_tokens)
    return Measures(
        measures.logprob,
        measures.tokens,
        round(chars * part),
        round(size * part),
        measures.oov,
        measures.oov_logprob,
    )
