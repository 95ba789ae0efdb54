"""The measures of a text, from the log-probabilities of its tokens."""

from __future__ import annotations

import numpy as np

from ..lm import Ids, Nats
from ..measures import Measures
from ..text.pieces import utf8


def measure(text: str, ids: Ids, nats: Nats, unk: int | None) -> Measures:
    """The measures of `text`, whose tokens `ids` (N,) have log-probabilities `nats` (N,)."""
    oov = np.zeros(len(ids), bool) if unk is None else ids == unk
    return Measures(
        logprob=float(nats.sum(dtype=np.float64)),
        tokens=len(ids),
        chars=len(text),
        bytes=len(utf8(text)),
        oov=int(oov.sum()),
        oov_logprob=float(nats[oov].sum(dtype=np.float64)),
    )
