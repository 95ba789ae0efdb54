"""Learning while coding: n-gram counts of what has been read, mixed with the model.

The counts give a probability for each length of context, each smoothed by the one below it
(absolute discounting: Ney, Essen and Kneser 1994; as everywhere here, in portable arithmetic):

    P_k(w | c) = (max(n(c w) − D, 0) + D · n₊(c) · P_{k−1}(w | c′)) / n(c)
    P_k        = P_{k−1}                                              for contexts never seen

where n₊(c) is the number of different tokens after c. The model and all P_k are multiplied,

    P(w) ∝ P_model(w)^{w₀} · Π_k P_k(w)^{w_{k+1}}

with weights that learn, too: by a step up the gradient of log P of each token after it is coded
(online mixing: Mahoney 2005), for each length of the longest context seen. At first the model
stands alone.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..lm import Ids
from .portable import Scores, shares
from .portable_arithmetic import log

ORDER, MAX_ORDER_TOKENS = 6, 1 << 10  # longest context; with larger vocabularies, no context at all
DISCOUNT = 0.7  # D
RATE = 0.001  # of the weights' steps
ROW_BITS, TABLE_ENTRIES = 18, 1 << 25  # of the counts of a length of context: at most 64 MB
HALVED_AT = 60_000  # a count that reaches this is halved, with all others after that context
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / the golden ratio (Knuth 1973)
FINE = float(1 << 32)  # sums are of whole numbers of this unit, and exact in any order

Weights = npt.NDArray[np.float64]


class Adaptive:
    """What is learned from the tokens of a file, of which several rows are read side by side."""

    def __init__(self, vocab_size: int, eos: int) -> None:
        self.vocab_size, self.eos = vocab_size, eos
        self.order = ORDER if vocab_size <= MAX_ORDER_TOKENS else 0
        self.bits = min(ROW_BITS, (TABLE_ENTRIES // vocab_size).bit_length() - 1)
        self.counts = [
            np.zeros((min(vocab_size**k, 1 << self.bits), vocab_size), np.uint16)
            for k in range(self.order + 1)
        ]
        self.weights: Weights = np.zeros((self.order + 2, self.order + 2))
        self.weights[:, 0] = 1

    def start(self, rows: int) -> None:
        """Begin to read so many rows, as if each followed line ends."""
        self.last_BK = np.full((rows, self.order), self.eos, np.int64)

    def scores(self, scores_BV: Scores) -> Scores:
        """The model's scores of the next tokens, (B, V), as what has been read changes them."""
        B = len(scores_BV)
        self.rows = [self._rows(k, B) for k in range(self.order + 1)]
        self.inputs = np.empty((self.order + 2, B, self.vocab_size))
        self.inputs[0] = scores_BV
        self.longest = np.zeros(B, np.intp)
        self._by_context(self.inputs[1:])
        self.inputs[1:] = log(self.inputs[1:])
        weights_BM = self.weights[self.longest]
        mixed = self.inputs[0] * weights_BM[:, 0, None]
        for m in range(1, self.order + 2):  # one after another: a sum depends on its order
            mixed += self.inputs[m] * weights_BM[:, m, None]
        self.mixed = mixed.astype(np.float32)
        return np.asarray(self.mixed)

    def learn(self, ids_B: Ids) -> None:
        """Learn the tokens that `scores` were of."""
        B = len(ids_B)
        p_BV = shares(self.mixed)
        expected_MB = np.rint(self.inputs * p_BV * FINE).sum(axis=2) / FINE
        steps_MB = RATE * (self.inputs[:, np.arange(B), ids_B] - expected_MB)
        np.add.at(self.weights, self.longest, steps_MB.T)
        for counts, rows in zip(self.counts, self.rows, strict=True):
            np.add.at(counts, (rows, ids_B), np.uint16(1))
            for row in rows[counts[rows, ids_B] >= HALVED_AT].tolist():
                counts[row] //= 2
        if self.order:
            self.last_BK[:B] = np.concatenate([self.last_BK[:B, 1:], ids_B[:, None]], axis=1)

    def _by_context(self, p_KBV: Weights) -> None:
        """Fill in P_0 … P_K, and note the longest context seen."""
        below: npt.NDArray[np.float64] | float = 1 / self.vocab_size
        for k, (counts, rows) in enumerate(zip(self.counts, self.rows, strict=True)):
            n_BV = counts[rows].astype(np.float64)
            total_B1 = n_BV.sum(axis=1, keepdims=True)
            kinds_B1 = np.count_nonzero(n_BV, axis=1, keepdims=True)
            seen = total_B1[:, 0] > 0
            found = np.maximum(n_BV - DISCOUNT, 0)
            found += kinds_B1 * DISCOUNT * below
            found /= np.maximum(total_B1, 1)
            p_KBV[k] = np.where(seen[:, None], found, below)
            self.longest[seen] = k + 1
            below = p_KBV[k]

    def _rows(self, k: int, B: int) -> Ids:
        """Where the counts after the last k tokens of each row are, (B,)."""
        if k == 0:
            return np.zeros(B, np.intp)
        context_BK = self.last_BK[:B, self.order - k :].astype(np.uint64)
        place = np.zeros(B, np.uint64)
        if len(self.counts[k]) < 1 << self.bits:  # a row for each context
            for token_B in context_BK.T:
                place = place * np.uint64(self.vocab_size) + token_B
            return place.astype(np.intp)
        for token_B in context_BK.T:
            place = (place + token_B + np.uint64(1)) * MULTIPLIER
            place ^= place >> np.uint64(29)
        return (place * MULTIPLIER >> np.uint64(64 - self.bits)).astype(np.intp)
