"""The measures of a text, from the log-probabilities of its tokens."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from ..lm import Ids, Nats
from ..measures import Measures
from ..text.pieces import utf8
from ..text.tokenizer import Tokenizer


def measure(text: str, ids: Ids, nats: Nats, tokenizer: Tokenizer) -> Measures:
    """The measures of `text`, whose tokens `ids` (N,) have log-probabilities `nats` (N,)."""
    found = measure_ids(ids, nats, tokenizer.unk, chars=len(text), bytes=len(utf8(text)))
    if not found.oov:
        return found
    from ..models.spelling import log_of_spelling  # which few texts need

    return replace(found, spelling=log_of_spelling(tokenizer, text))


def measure_ids(
    ids: Ids, nats: Nats, unk: int | None, *, chars: int = 0, bytes: int = 0
) -> Measures:
    """The measures of tokens `ids` (N,), of log-probabilities `nats` (N,), without their text.

    So unknown words are not spelled: `spelling` is NaN where there are any.
    """
    oov = np.zeros(len(ids), bool) if unk is None else ids == unk
    unknown = int(oov.sum())
    return Measures(
        logprob=float(nats.sum(dtype=np.float64)),
        tokens=len(ids),
        chars=chars,
        bytes=bytes,
        oov=unknown,
        oov_logprob=float(nats[oov].sum(dtype=np.float64)),
        spelling=math.nan if unknown else 0.0,
    )
