"""The numbers of `score` over a text of any size, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from .config import require
from .errors import CharlmError
from .lm import CausalLM, Ids, Nats
from .measures import Measures
from .score import CONTEXTS, measure
from .text import utf8
from .tokenizer import Tokenizer, encode_chunks

PIECE = 1 << 18  # characters of text held and measured at a time


def evaluate(
    lm: CausalLM,
    tokenizer: Tokenizer,
    chunks: Iterable[str],
    *,
    context: str = "stream",
    window: int | None = None,
    progress: Callable[[Measures], None] | None = None,
) -> Measures:
    """Measure a whole text, given in chunks that may be cut anywhere.

    Every line is its tokens and <EOS>; a last line without a line break is closed all the same.

    context "stream": the text is one sequence, all of it read before each token;
    context "sentence": each line on its own, after a sentence end;
    window N (with "stream"): every N tokens the model begins afresh, as at a sentence start, so
        that models which cannot look back further can be compared on equal terms.

    `progress` is called now and then with the measures so far. Raises CharlmError for unknown
    settings and for a text without a single character.
    """
    require(context in CONTEXTS, f"unknown context {context!r}: choose {' | '.join(CONTEXTS)}")
    require(window is None or window >= 1, f"window must be at least 1 token, not {window}")
    require(
        window is None or context == "stream",
        "a window cuts the stream: leave it out with context sentence",
    )
    if context == "sentence":
        reader = Reader(lm, lambda ids, _: np.flatnonzero(ids == tokenizer.eos) + 1)
    elif window is not None:
        size = window
        reader = Reader(lm, lambda ids, seen: np.arange(-seen % size, len(ids), size))
    else:
        reader = Reader(lm, lambda ids, seen: np.zeros(0, np.intp))
    total = Measures(0.0, 0, 0, 0)

    def counted() -> Iterator[str]:
        nonlocal total
        for text in slices(chunks):
            total += Measures(0.0, 0, chars=len(text), bytes=len(utf8(text)))
            yield text

    for ids in encode_chunks(tokenizer, counted()):
        total += measure("", ids, reader.read(ids), tokenizer.unk)
        if progress is not None:
            progress(total)
    if total.chars == 0:
        raise CharlmError("there is no text to evaluate: give some that is not empty")
    return total


def slices(chunks: Iterable[str]) -> Iterator[str]:
    """The same text in pieces of at most PIECE characters, its last line closed."""
    last = ""
    for chunk in chunks:
        for start in range(0, len(chunk), PIECE):
            last = chunk[start : start + PIECE]
            yield last
    if last and not last.endswith("\n"):
        yield "\n"


class Reader:
    """Reads an endless sequence piece by piece, beginning afresh wherever `cut` says.

    `cut(ids, seen)` gives the places in `ids`, in order, before which the model's memory is
    cleared, `seen` tokens having been read before these.
    """

    def __init__(self, lm: CausalLM, cut: Callable[[Ids, int], Ids]) -> None:
        self.lm = lm
        self.cut = cut
        self.seen = 0
        self.state = lm.start(1)

    def read(self, ids: Ids) -> Nats:
        """The log-probability of each of the next tokens, (N,) nats."""
        first, *parts = np.split(ids, self.cut(ids, self.seen))
        self.seen += len(ids)
        nats_BT, self.state = self.lm.follow(self.state, first[None])
        nats = [nats_BT[0]]
        if parts:
            *whole, last = parts
            nats += self.lm.logprobs(whole)
            nats_BT, self.state = self.lm.follow(self.lm.start(1), last[None])
            nats.append(nats_BT[0])
        return np.concatenate(nats)
