"""The contract between language models and everything that uses them.

A language model answers one question: given what came before, how probable is each next token?

    LanguageModel          gives every token of a sequence a probability
    ├─ SequentialLM        … reading left to right
    │  ├─ CausalLM         … a token at a time: it can also write
    │  │  └─ BackoffLM     … from the last few tokens: n-gram models
    │  └─ LearningLM       … learning from what it has just read
    └─ PseudoLM            … given all others: bidirectional networks

Shape letters, used as suffixes throughout (`logits_TBV`):
    T  time steps      B  batch rows      V  vocabulary      E  embedding      H  hidden units
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, Self, TypeAlias, TypeGuard, TypeVar

import numpy as np
import numpy.typing as npt

from .errors import CharlmError

Ids: TypeAlias = npt.NDArray[np.integer[Any]]  # token ids
Nats: TypeAlias = npt.NDArray[np.floating[Any]]  # natural-log probabilities
Mask: TypeAlias = npt.NDArray[np.bool_]


class State(Protocol):
    """What a causal model remembers of B texts. Never modified in place."""

    def take(self, rows: Ids) -> Self:
        """The state of the texts `rows` (repeats allowed), as a batch of len(rows)."""
        ...

    def joined(self, other: Self) -> Self:
        """The state of these texts and, after them, of the texts of `other`."""
        ...


S = TypeVar("S", bound=State)
M = TypeVar("M")  # whatever a model carries from one chunk of text to the next
Change: TypeAlias = "Callable[[LanguageModel], LanguageModel]"


class LanguageModel(Protocol):
    """Anything that gives every token of a sequence a probability."""

    @property
    def vocab_size(self) -> int:
        """V, the number of token types."""
        ...

    @property
    def eos(self) -> int:
        """The id of <EOS>."""
        ...

    @property
    def order(self) -> int:
        """N of an n-gram model, which looks N − 1 tokens back; 0: no fixed limit."""
        ...

    @property
    def pseudo(self) -> bool:
        """Whether it gives pseudo-log-probabilities: it is a PseudoLM."""
        ...

    @property
    def learns(self) -> bool:
        """Whether it learns from what it reads: it is a LearningLM."""
        ...

    def logprobs(self, seqs: Sequence[Ids]) -> list[Nats]:
        """log P(each token | those before it in its sequence), nats, shaped like `seqs`.

        Every sequence is taken to follow a sentence end (see `SequentialLM.start`).
        """
        ...


class SequentialLM(LanguageModel, Protocol[M]):
    """A language model that reads texts left to right, one chunk after another."""

    def start(self, batch: int) -> M:
        """Its state just after <EOS>: at the beginning of `batch` sentences."""
        ...

    def read(self, state: M, ids_BT: Ids) -> tuple[Nats, M]:
        """Log-probability of each of T further tokens, (B, T) nats, and the state after them."""
        ...

    def read_all(self, state: M, ids_BT: Ids) -> tuple[Nats, M]:
        """`read`, with the log-probability of every token in each place: (B, T, V) nats.

        The caller sees to it that so much fits into memory.
        """
        ...


class CausalLM(SequentialLM[S], Protocol[S]):
    """A language model that reads left to right, one token or many at a time.

    S is the type of its states. Laws (tests/models/test_laws.py holds every implementation to
    them):
      * exp(predict(s)) sums to 1 in every row;
      * `read` and `read_all` equal `predict` and `advance` repeated;
      * `logprobs` equals `read` from `start`;
      * no method changes its arguments;
      * a batch equals its rows one at a time, to rounding.
    """

    def empty(self, batch: int) -> S:
        """The state of `batch` texts before any token, <EOS> included.

        `start` is `empty`, advanced by <EOS>.
        """
        ...

    def predict(self, state: S) -> Nats:
        """(B, V) log-probabilities of the next token, nats."""
        ...

    def advance(self, state: S, ids_B: Ids) -> S:
        """The state after one more token in every row. `state` itself is unchanged."""
        ...

    def transformed(self, change: Change) -> LanguageModel:
        """The same model after `change`, which has already been applied to the models inside it."""
        ...


class BackoffLM(CausalLM[S], Protocol[S]):
    """A causal model that predicts from the longest known context of up to N − 1 tokens."""

    def matched(self, state: S) -> Ids:
        """Length of the longest known context at the end of B texts, (B,): 0 … N − 1."""
        ...

    def matched_before(self, state: S, ids_BT: Ids) -> Ids:
        """`matched` before each of T further tokens, (B, T)."""
        ...

    def read_matched(self, state: S, ids_BT: Ids) -> tuple[Nats, Ids, S]:
        """`read`, with what `matched_before` gives in the middle: both take one look-up."""
        ...

    def logprobs_matched(self, seqs: Sequence[Ids]) -> tuple[list[Nats], list[Ids]]:
        """`logprobs`, and the length of the longest known context before each token."""
        ...

    def used_length(self, state: S, ids_B: Ids) -> Ids:
        """The length of the n-gram that gives each row's next token its probability, (B,)."""
        ...


class LearningLM(SequentialLM[M], Protocol[M]):
    """A model that learns while it reads: predictions depend on everything read before.

    Texts are read one at a time (a batch of 1), in order; every token is scored before it is
    learned from.
    """


class PseudoLM(LanguageModel, Protocol):
    """A model that predicts each token from all others (pseudo-log-probabilities: Besag 1975)."""

    def predictions(self, seq: Ids) -> Iterator[Nats]:
        """log P(every token there | all others of the sequence): (T, V) nats, in chunks of rows."""
        ...

    def predict_at(self, ids_NT: Ids, position: int) -> Nats:
        """(N, V) the same at one position of N sequences."""
        ...


def is_pseudo(lm: LanguageModel) -> TypeGuard[PseudoLM]:
    """Whether a model predicts each token from all others."""
    return lm.pseudo


def is_backoff(lm: LanguageModel) -> TypeGuard[BackoffLM[State]]:
    """Whether a model is an n-gram model."""
    return lm.order > 0


def is_causal(lm: LanguageModel) -> TypeGuard[CausalLM[State]]:
    """Whether a model predicts the next token from those before it."""
    return not (lm.pseudo or lm.learns)


def is_sequential(lm: LanguageModel) -> TypeGuard[SequentialLM[object]]:
    """Whether a model reads left to right."""
    return not lm.pseudo


def sequential(lm: LanguageModel) -> SequentialLM[object]:
    """`lm`, if it reads left to right. Raises CharlmError for a bidirectional model."""
    if not is_sequential(lm):
        raise CharlmError(
            "this model is bidirectional, so it cannot predict the next token: it can only fill "
            "blanks (charlm fill) and score sentences (charlm score). For anything else train a "
            "model without `bidirectional`"
        )
    return lm


def causal(lm: LanguageModel) -> CausalLM[State]:
    """`lm`, if it predicts the next token; pass it only states that it made itself.

    Raises CharlmError for a bidirectional model, and for one that learns while it reads.
    """
    sequential(lm)
    if not is_causal(lm):
        raise CharlmError("a model that learns while it reads can only score and evaluate texts")
    return lm
