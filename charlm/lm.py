"""The contract between language models and everything that uses them.

A language model answers one question: given what came before, how probable is each next token?

Shape letters, used as suffixes throughout (`logits_TBV`):
    T  time steps      B  batch rows      V  vocabulary      E  embedding      H  hidden units
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, Self, TypeAlias

import numpy as np
import numpy.typing as npt

Ids: TypeAlias = npt.NDArray[np.integer[Any]]  # token ids
Nats: TypeAlias = npt.NDArray[np.floating[Any]]  # natural-log probabilities
Mask: TypeAlias = npt.NDArray[np.bool_]


class State(Protocol):
    """What a causal model remembers of B texts. Never modified in place."""

    def take(self, rows: Ids) -> Self:
        """The state of the texts `rows` (repeats allowed), as a batch of len(rows)."""
        ...


class LanguageModel(Protocol):
    """Anything that gives every token of a sequence a probability."""

    @property
    def vocab_size(self) -> int:
        """V, how many kinds of token there are."""
        ...

    def logprobs(self, seqs: Sequence[Ids]) -> list[Nats]:
        """log P(each token | those before it in its sequence), nats, shaped like `seqs`.

        Every sequence is taken to follow a sentence end (see `CausalLM.start`).
        """
        ...


class CausalLM(LanguageModel, Protocol):
    """A language model that reads left to right, one token or many at a time.

    Laws (tests/test_laws.py holds every implementation to them):
      * exp(predict(s)) sums to 1 in every row;
      * `follow` equals `predict` and `advance` repeated;
      * `logprobs` equals `follow` from `start`;
      * no method changes its arguments;
      * a batch equals its rows one at a time, to rounding.
    """

    def start(self, batch: int) -> Any:
        """The State of `batch` texts just after `<EOS>`: at the beginning of a sentence."""
        ...

    def empty(self, batch: int) -> Any:
        """The State of `batch` texts before any token: it knows of nothing, not of `<EOS>` either.

        `start` is `blank`, advanced by `<EOS>`.
        """
        ...

    def predict(self, state: Any) -> Nats:
        """(B, V) log-probabilities of the next token, nats."""
        ...

    def advance(self, state: Any, ids_B: Ids) -> Any:
        """The state after one more token in every row. `state` itself is unchanged."""
        ...

    def read(self, state: Any, ids_BT: Ids) -> tuple[Nats, Any]:
        """Log-probability of each of T further tokens, (B, T) nats, and the state after them."""
        ...
