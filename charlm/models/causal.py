"""The base class of causal models: a new family implements `empty`, `predict` and `advance`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic

import numpy as np

from ..lm import Change, Ids, LanguageModel, Nats, S
from .padding import batches, pad


class CausalModel(ABC, Generic[S]):
    """Base of causal models; obeys `lm.CausalLM`. Subclasses override what they can do faster."""

    vocab_size: int  # V
    eos: int  # the id of <EOS>
    order = 0
    pseudo = False
    learns = False

    @abstractmethod
    def empty(self, batch: int) -> S:
        """The state of `batch` texts before any token."""

    @abstractmethod
    def predict(self, state: S) -> Nats:
        """(B, V) log-probabilities of the next token, nats."""

    @abstractmethod
    def advance(self, state: S, ids_B: Ids) -> S:
        """The state after one more token in every row. `state` itself is unchanged."""

    def start(self, batch: int) -> S:
        """The state of `batch` texts just after <EOS>: at the beginning of a sentence."""
        return self.advance(self.empty(batch), np.full(batch, self.eos))

    def read(self, state: S, ids_BT: Ids) -> tuple[Nats, S]:
        """Log-probability of each of T further tokens, (B, T) nats, and the state after them."""
        B, T = ids_BT.shape
        nats_BT = np.empty((B, T))
        for t in range(T):
            nats_BT[:, t] = self.predict(state)[np.arange(B), ids_BT[:, t]]
            state = self.advance(state, ids_BT[:, t])
        return nats_BT, state

    def read_all(self, state: S, ids_BT: Ids) -> tuple[Nats, S]:
        """`read`, with the log-probability of every token in each place: (B, T, V) nats."""
        nats_BTV = np.empty((*ids_BT.shape, self.vocab_size), np.float32)
        for t in range(ids_BT.shape[1]):
            nats_BTV[:, t] = self.predict(state)
            state = self.advance(state, ids_BT[:, t])
        return nats_BTV, state

    def logprobs(self, seqs: Sequence[Ids]) -> list[Nats]:
        """Give log P(each token | those before it in its sequence), (len(seq),) nats each.

        Sequences of similar length are run in parallel; memory is bounded however long they are.
        """
        result: list[Nats] = [np.zeros(0, np.float32)] * len(seqs)
        for rows in batches([len(seq) for seq in seqs]):
            ids_BT = pad([seqs[row] for row in rows], self.eos)
            nats_BT, _ = self.read(self.start(len(rows)), ids_BT)
            for b, row in enumerate(rows):
                result[row] = nats_BT[b, : len(seqs[row])]
        return result

    def transformed(self, change: Change) -> LanguageModel:
        """The same model after `change`, which has already been applied to the models inside it."""
        return change(self)
