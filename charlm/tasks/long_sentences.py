"""Sentences too long to hold all that belongs to their tokens: measured piece by piece."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..lm import M, SequentialLM
from ..measures import Measures
from ..text.tokenizer import Tokenizer, encodable
from .measure import measure

LONG = 1 << 20  # characters, from which a sentence is long
PIECE = 1 << 16  # characters, read at a time


def is_long(sentence: str) -> bool:
    """Whether its tokens are too many to be held."""
    return len(sentence) >= LONG


def measure_on(
    lm: SequentialLM[M], state: M, tokenizer: Tokenizer, sentence: str, *, eos: bool
) -> tuple[Measures, M]:
    """The measures of a sentence that follows `state`, and the state after it and its <EOS>.

    state: of one text, B = 1. eos: whether the <EOS> counts. Log-probabilities are nats. Memory is
    bounded by that of the sentence itself.
    """
    total = Measures(0.0, 0, 0, 0)
    for piece in encodable(tokenizer, _pieces(sentence)):
        ids = tokenizer.encode(piece)
        nats_BT, state = lm.read(state, ids[None])
        total += measure(piece, ids, nats_BT[0], tokenizer)
    end = np.array([tokenizer.eos])
    nats_BT, state = lm.read(state, end[None])
    if eos:
        total += measure("\n", end, nats_BT[0], tokenizer)
    return total, state


def _pieces(sentence: str) -> Iterator[str]:
    return (sentence[at : at + PIECE] for at in range(0, len(sentence), PIECE))
