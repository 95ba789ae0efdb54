"""Sentences too long to hold all that belongs to their tokens: measured piece by piece."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..lm import M, SequentialLM
from ..measures import Measures
from ..text.pieces import utf8
from ..text.tokenizer import Tokenizer, encode_chunks
from .measure import measure

LONG = 1 << 20  # characters, from which a sentence is long
PIECE = 1 << 16


def is_long(sentence: str) -> bool:
    return len(sentence) >= LONG


def measure_on(
    lm: SequentialLM[M], state: M, tokenizer: Tokenizer, sentence: str, *, eos: bool
) -> tuple[Measures, M]:
    """The measures of a sentence that follows `state`, and the state after it and its <EOS>.

    eos: whether the <EOS> counts. Memory is bounded by that of the sentence itself.
    """
    total = Measures(0.0, 0, 0, 0)
    for ids in encode_chunks(tokenizer, _pieces(sentence)):
        nats_BT, state = lm.read(state, ids[None])
        total += measure("", ids, nats_BT[0], tokenizer.unk)
    for piece in _pieces(sentence):
        total += Measures(0.0, 0, chars=len(piece), bytes=len(utf8(piece)))
    end = np.array([tokenizer.eos])
    nats_BT, state = lm.read(state, end[None])
    if eos:
        total += measure("\n", end, nats_BT[0], tokenizer.unk)
    return total, state


def _pieces(sentence: str) -> Iterator[str]:
    return (sentence[at : at + PIECE] for at in range(0, len(sentence), PIECE))
