"""Batches of token ids, (T, B): parallel streams, so that the hidden state carries over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import CharlmError
from ..lm import Ids


@dataclass(frozen=True)
class Batch:
    """T tokens of B streams, and the tokens that follow them."""

    x_TB: npt.NDArray[np.int64]
    y_TB: npt.NDArray[np.int64]
    fresh: bool  # first batch of an epoch: the hidden state is reset


class Streams:
    """B parallel streams over circular ids; the hidden state carries over from batch to batch.

    In epoch e the text begins at an offset drawn from (seed, e), and stream b reads
    N // B tokens from there on after b * (N // B): every token is predicted at most once.
    Truncated back-propagation through time: Williams and Peng (1990).
    """

    def __init__(self, ids: Ids, batch_size: int, bptt: int, seed: int):
        """Raises CharlmError if `ids` are too few for one batch of `batch_size` × `bptt`."""
        N, B, T = len(ids), batch_size, bptt
        if N < B * T:
            raise CharlmError(
                f"the training text has {N:,} tokens, fewer than one batch of {B} × {T}: "
                "give more text, or a smaller "
                + (f"`bptt` (such as {N // B})." if N >= B else f"`batch_size` (below {N:,}).")
            )
        self.ids, self._seed = np.asarray(ids), seed
        self.batch_size, self.bptt, self.step = B, T, 0
        self.steps_per_epoch = max(1, N // B // T)
        self._starts_B = np.arange(B) * (N // B)

    def seek(self, step: int) -> None:
        """Go to a step, counted from the beginning of training: `next` then returns its batch."""
        self.step = step

    def next(self) -> Batch:
        """The batch of this step; the same for the same seed and step."""
        epoch, k = divmod(self.step, self.steps_per_epoch)
        self.step += 1
        N, T = len(self.ids), self.bptt
        offset = int(np.random.default_rng((self._seed, epoch)).integers(N))
        index_T1 = np.arange(k * T - 1, (k + 1) * T)
        tokens = self.ids[(offset + self._starts_B + index_T1[:, None]) % N].astype(np.int64)
        return Batch(tokens[:-1], tokens[1:], fresh=k == 0)
