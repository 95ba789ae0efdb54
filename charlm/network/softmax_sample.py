"""Train a large softmax on a sample of its words: importance sampling of the normaliser.

    Z = Σ_w exp(z_w) ≈ exp(z_y) + Σ_{w ∈ S, w ≠ y} exp(z_w) / π_w

S holds each word w with probability π_w, independently and anew at every step, the same for all
tokens of a step (Bengio and Senécal 2003; Jean et al. 2015). π_w = min(1, α √count_w): frequent
words, most of the sum, are always in it. The estimate of Z is unbiased, that of the loss, log Z −
z_y, a little too low. Only training uses it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..lm import Ids

COUNTED_TOKENS = 1 << 22  # of the training text, which frequencies are taken from
MULTIPLE = 256  # words
NEVER = -1e30  # added to the logit of what is no part of S: exp(−1e30) = 0


class Sample(NamedTuple):
    """The words of one step's softmax."""

    ids_C: Tensor  # ascending: S, and the tokens to predict
    correction_C: Tensor  # −log π of words in S, NEVER of others; not for a row's own token


class SoftmaxSample:
    """Draws the words of each step's softmax."""

    def __init__(self, ids: Ids, vocab_size: int, size: int) -> None:
        """ids: the training text. size: how many words S holds on average."""
        counts_V = np.maximum(frequencies(ids, vocab_size), 1)
        probability_V = inclusion(np.sqrt(counts_V), size)
        self.probability_V = torch.from_numpy(probability_V.astype(np.float32))

    def draw(self, y_N: Tensor) -> Sample:
        """A sample for the tokens `y`, by torch's own generator."""
        if self.probability_V.device != y_N.device:
            self.probability_V = self.probability_V.to(y_N.device)
        drawn_V = torch.rand_like(self.probability_V) < self.probability_V
        used_V = drawn_V.clone()
        used_V[y_N] = True
        ids_C = filled_up(used_V).nonzero().squeeze(1)
        correction_C = torch.where(drawn_V, -self.probability_V.log(), NEVER)[ids_C]
        return Sample(ids_C, correction_C)


def frequencies(ids: Ids, vocab_size: int) -> npt.NDArray[np.int64]:
    """How often each token stands at the start of the training text, (V,)."""
    return np.bincount(ids[:COUNTED_TOKENS], minlength=vocab_size)


def filled_up(used_V: Tensor) -> Tensor:
    """The words used, and as many of the first others as make their number a multiple of MULTIPLE.

    So the same few sizes of memory are used at every step. The others do not count.
    """
    missing = -int(used_V.sum()) % MULTIPLE
    if not missing:
        return used_V
    filler_V = used_V.logical_not()
    filler_V &= filler_V.cumsum(0) <= missing
    return used_V | filler_V


def inclusion(weights_V: npt.NDArray[np.float64], size: int) -> npt.NDArray[np.float64]:
    """min(1, α · weight) for the α at which they add up to `size`, or all 1."""
    if size >= len(weights_V):
        return np.ones(len(weights_V))
    descending = np.sort(weights_V)[::-1]
    rest = np.cumsum(descending[::-1])[::-1]  # of the weights from each on
    for certain in range(size):  # how many are in it for sure
        scale = (size - certain) / rest[certain]
        if scale * descending[certain] <= 1:
            break
    return np.asarray(np.minimum(1.0, scale * weights_V))
