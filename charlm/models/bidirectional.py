"""Bidirectional networks in NumPy.

    P(x_t | all other tokens) = softmax(V [s→_{t−1}; s←_{t+1}] + c)

s→ are the hidden states of a stack of layers that reads left to right, s← of one that reads right
to left (Schuster and Paliwal 1997). Token t is predicted from what the first has read before it and
the second after it, never from itself; so the two stacks are joined only at the top (Peters et al.
2018). The numbers are pseudo-log-probabilities: their sum over a sentence is not a log-probability
(Besag 1975; Salazar et al. 2020).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ..config import NetworkConfig
from ..errors import CharlmError
from ..lm import Ids, Nats
from .arithmetic import Array
from .padding import batches, pad, rows_that_fit
from .recurrent import Head, Stack, check_tensors

MAX_TOKENS = 1 << 15  # of a sequence: all its hidden states are held in memory
TOKENS_AT_ONCE = 1 << 14  # in a batch


class BidirectionalLM:
    """A bidirectional network; obeys `lm.PseudoLM`. Pseudo-log-probabilities are nats."""

    order = 0
    pseudo = True
    learns = False

    def __init__(
        self, config: NetworkConfig, tensors: Mapping[str, npt.NDArray[np.float32]], eos: int
    ) -> None:
        """Build from the tensors that `config.shapes()` names; `eos` is the id of <EOS>.

        Raises CharlmError if names, shapes or types do not match the configuration.
        """
        check_tensors(config, tensors)
        self.config, self.tensors = config, tensors
        self.vocab_size, self.eos = config.vocab_size, eos
        self.left, self.right = Stack(config, tensors), Stack(config, tensors, "back")
        self.head = Head(config, tensors)

    def logprobs(self, seqs: Sequence[Ids]) -> list[Nats]:
        """Give log P(each token | all others in its sequence), (len(seq),) nats each.

        Every sequence is taken to follow a sentence end; nothing is known after its last token.
        """
        result: list[Nats] = [np.zeros(0, np.float32)] * len(seqs)
        for rows in batches([len(seq) for seq in seqs]):
            for chunk in _chunks(rows, len(seqs[rows[0]])):
                group = [np.asarray(seqs[row], np.int64) for row in chunk]
                nats_TB = self.head.gather(self._hidden_states(group), pad(group, self.eos).T)
                for b, row in enumerate(chunk):
                    result[row] = nats_TB[: len(seqs[row]), b]
        return result

    def predict(self, seq: Ids) -> Nats:
        """(T, V) log P(every token there | all others of the sequence), nats."""
        return np.concatenate([*self.predictions(seq), np.zeros((0, self.vocab_size), np.float32)])

    def predictions(self, seq: Ids) -> Iterator[Nats]:
        """The rows of `predict`, in chunks that fit in memory."""
        top_TH = self._hidden_states([np.asarray(seq, np.int64)])[:, 0]
        step = rows_that_fit(self.vocab_size)
        for t in range(0, len(top_TH), step):
            yield self.head.predict(top_TH[t : t + step])

    def predict_at(self, ids_NT: Ids, position: int) -> Nats:
        """(N, V) the same at one position of N sequences."""
        chunks = _chunks(range(len(ids_NT)), ids_NT.shape[1])
        tops = [
            self._hidden_states(list(ids_NT[rows].astype(np.int64)))[position] for rows in chunks
        ]
        return self.head.predict(np.concatenate(tops))

    def _hidden_states(self, seqs: Sequence[Ids]) -> Array:
        """What every token is predicted from, (T, B, 2 H), for sequences sorted longest first.

        Raises CharlmError if one is too long.
        """
        lengths = [len(seq) for seq in seqs]
        B = len(seqs)
        if max(lengths) > MAX_TOKENS:
            raise CharlmError(
                f"a line of {max(lengths):,} tokens is too long for a bidirectional model: "
                f"give at most {MAX_TOKENS:,}"
            )
        begin = self.left.advance(self.left.initial, np.array([self.eos]))
        before, _ = self.left.hidden_before(begin.take(np.zeros(B, np.intp)), pad(seqs, self.eos).T)
        reversed_TB = pad([seq[::-1] for seq in seqs], self.eos).T
        read_TBH, _ = self.right.hidden_before(self.right.empty(B), reversed_TB)
        after = np.zeros_like(before)
        for b, n in enumerate(lengths):
            after[:n, b] = read_TBH[:n, b][::-1]
        return np.concatenate([before, after], axis=2)


def _chunks(rows: Sequence[int], length: int) -> Iterator[Sequence[int]]:
    """`rows` in chunks of at most TOKENS_AT_ONCE tokens, or of a single row."""
    step = max(1, TOKENS_AT_ONCE // max(1, length))
    return (rows[first : first + step] for first in range(0, len(rows), step))
