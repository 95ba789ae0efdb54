"""Evaluate a model on a text of any size, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic

import numpy as np

from ..errors import require
from ..lm import CausalLM, Ids, M, Nats, S, SequentialLM, State, causal
from ..measures import Measures
from ..text.tokenizer import Tokenizer, encodable
from .measure import measure
from .score import CONTEXTS

CHARS_AT_ONCE = 1 << 18  # of text held and measured at a time
NO_TEXT = "there is no text to evaluate: give some that is not empty"
WINDOW_TOKENS_AT_ONCE = 1 << 15  # of windows read in parallel


def evaluate(
    lm: SequentialLM[M],
    tokenizer: Tokenizer,
    chunks: Iterable[str],
    *,
    context: str = "stream",
    window: int | None = None,
    progress: Callable[[Measures], None] | None = None,
) -> Measures:
    """Measure a whole text, given in chunks that may be cut anywhere.

    Every line is its tokens and <EOS>; so is a last line without a line break.

    context "stream": the text is one sequence, all of it read before each token;
    context "sentence": each line on its own, after a sentence end;
    window N (with "stream"): every N tokens the model's state is reset to the last token alone, for
        comparison with models of limited context: a transformer is measured in windows of N inputs,
        of which the first is not scored.

    `progress` is called now and then with the measures so far. Raises CharlmError for unknown
    settings and for a text without a single character.
    """
    require(context in CONTEXTS, f"unknown context {context!r}: choose {' | '.join(CONTEXTS)}")
    require(window is None or window >= 1, f"`window` must be at least 1 token, not {window}")
    require(
        window is None or context == "stream",
        "`window` is for a stream of text: leave it out, or use `context=stream`",
    )
    reader: Reader[M] | Windows[State]
    if window is not None:
        reader = Windows(causal(lm), window, tokenizer.eos)
    elif context == "sentence":
        reader = Reader(lm, lambda ids: np.flatnonzero(ids == tokenizer.eos) + 1)
    else:
        reader = Reader(lm, lambda ids: np.zeros(0, np.intp))
    total = Measures(0.0, 0, 0, 0)
    for text in encodable(tokenizer, slices(chunks)):
        ids = tokenizer.encode(text)
        total += measure(text, ids, reader.read(ids), tokenizer)
        if progress is not None:
            progress(total)
    require(total.chars > 0, NO_TEXT)
    return total


def slices(chunks: Iterable[str]) -> Iterator[str]:
    """The same text in slices of at most CHARS_AT_ONCE characters, its last line closed."""
    last = ""
    for chunk in chunks:
        for start in range(0, len(chunk), CHARS_AT_ONCE):
            last = chunk[start : start + CHARS_AT_ONCE]
            yield last
    if last and not last.endswith("\n"):
        yield "\n"


def whole_lines(chunks: Iterable[str], chars: int) -> Iterator[str]:
    """The same text in pieces of whole lines, of so many characters at least but for the last."""
    held: list[str] = []
    size = 0
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size >= chars and "\n" in chunk:
            text, _, rest = "".join(held).rpartition("\n")
            yield f"{text}\n"
            held, size = [rest], len(rest)
    if size:
        yield "".join(held)


class Reader(Generic[M]):
    """Reads an endless sequence in chunks, starting a new sentence wherever `cut` says.

    `cut(ids)` gives the positions in `ids`, in order, at which a sentence begins.
    """

    def __init__(self, lm: SequentialLM[M], cut: Callable[[Ids], Ids]) -> None:
        self.lm = lm
        self.cut = cut
        self.state = lm.start(1)

    def read(self, ids: Ids) -> Nats:
        """The log-probability of each of the next tokens, (N,) nats."""
        first, *parts = np.split(ids, self.cut(ids))
        nats_BT, self.state = self.lm.read(self.state, first[None])
        nats = [nats_BT[0]]
        if parts:
            *whole, last = parts
            nats += self.lm.logprobs(whole)
            nats_BT, self.state = self.lm.read(self.lm.start(1), last[None])
            nats.append(nats_BT[0])
        return np.concatenate(nats)


class Windows(Generic[S]):
    """Reads an endless sequence in chunks, split into windows of `size` tokens.

    The only context at the start of a window is the token before it; the first follows <EOS>.
    """

    def __init__(self, lm: CausalLM[S], size: int, eos: int) -> None:
        self.lm, self.size = lm, size
        self.seen, self.last = 0, eos
        self.state = lm.empty(1)

    def read(self, ids: Ids) -> Nats:
        """The log-probability of each of the next tokens, (N,) nats."""
        ahead = min(-self.seen % self.size, len(ids))  # tokens left of the current window
        nats_BT, self.state = self.lm.read(self.state, ids[None, :ahead])
        nats = [nats_BT[0]]
        before = np.concatenate([[self.last], ids[:-1]])  # the token before each
        whole = (len(ids) - ahead) // self.size
        rows = max(1, WINDOW_TOKENS_AT_ONCE // self.size)
        for first in range(0, whole, rows):
            count = min(rows, whole - first)
            begin = ahead + first * self.size
            index_BT = begin + np.arange(count * self.size).reshape(count, self.size)
            nats_BT, _ = self.lm.read(self._begin(before[index_BT[:, 0]]), ids[index_BT])
            nats.append(nats_BT.ravel())
        rest = ahead + whole * self.size
        if rest < len(ids):
            nats_BT, self.state = self.lm.read(self._begin(before[rest, None]), ids[None, rest:])
            nats.append(nats_BT[0])
        self.seen += len(ids)
        self.last = int(ids[-1]) if len(ids) else self.last
        return np.concatenate(nats)

    def _begin(self, ids_B: Ids) -> S:
        """The states of windows that follow these tokens."""
        return self.lm.advance(self.lm.empty(len(ids_B)), ids_B)
