"""Networks that read a text from both sides, in NumPy.

    P(x_t | all other tokens) = softmax(V [s→_{t−1}; s←_{t+1}] + c)

s→ are the hidden states of a stack of layers that reads from the left, s← of another that reads
from the right (Schuster and Paliwal 1997). Token t is predicted from what the one has read before
it and the other after it, never from itself; so the two stacks meet only at the top (Peters et al.
2018). The numbers are pseudo-log-probabilities: their sum over a sentence is no log-probability
(Besag 1975; Salazar et al. 2020).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from .batching import batches, padded
from .cells import Array
from .config import NetworkConfig
from .lm import Ids, Nats
from .recurrent import Head, Stack, check_tensors


class BidirectionalLM:
    """A bidirectional network; obeys `lm.LanguageModel`. Pseudo-log-probabilities are nats."""

    def __init__(
        self, config: NetworkConfig, tensors: Mapping[str, npt.NDArray[np.float32]], eos: int
    ) -> None:
        """Build from the tensors that `config.shapes()` names; `eos` is the id of <EOS>.

        Raises CharlmError where names, shapes or types are not those of the configuration.
        """
        check_tensors(config, tensors)
        self.config, self.tensors = config, tensors
        self.vocab_size, self.eos = config.vocab_size, eos
        self.left, self.right = Stack(config, tensors), Stack(config, tensors, "back")
        self.head = Head(config, tensors)

    def logprobs(self, seqs: Sequence[Ids]) -> list[Nats]:
        """Give log P(each token | all others in its sequence), (len(seq),) nats each.

        Every sequence is taken to follow a sentence end; behind its last token nothing is known.
        """
        result: list[Nats] = [np.zeros(0, np.float32)] * len(seqs)
        for rows in batches([len(seq) for seq in seqs]):
            group = [np.asarray(seqs[row], np.int64) for row in rows]
            nats_TB = self.head.gather(self._tops(group), padded(group, self.eos).T)
            for b, row in enumerate(rows):
                result[row] = nats_TB[: len(seqs[row]), b]
        return result

    def predict(self, seq: Ids) -> Nats:
        """(T, V) log P(every token there | all others of the sequence), nats."""
        return self.head.predict(self._tops([np.asarray(seq, np.int64)])[:, 0])

    def predict_at(self, seqs: Sequence[Ids], place: int) -> Nats:
        """(N, V) the same at one place of N sequences of one length."""
        return self.head.predict(self._tops([np.asarray(seq, np.int64) for seq in seqs])[place])

    def _tops(self, seqs: Sequence[Ids]) -> Array:
        """What every token is predicted from, (T, B, 2 H), for sequences of falling length."""
        lengths = [len(seq) for seq in seqs]
        B = len(seqs)
        begin = self.left.advance(self.left.initial, np.array([self.eos]))
        before, _ = self.left.read(begin.take(np.zeros(B, np.intp)), padded(seqs, self.eos).T)
        turned = padded([seq[::-1] for seq in seqs], self.eos).T
        read_TBH, _ = self.right.read(self.right.blank(B), turned)
        after = np.zeros_like(before)
        for b, n in enumerate(lengths):
            after[:n, b] = read_TBH[:n, b][::-1]
        return np.concatenate([before, after], axis=2)
