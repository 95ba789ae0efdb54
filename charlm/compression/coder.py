"""The range coder: token ids to bytes, and back, with the probabilities of a model.

A range coder (Martin 1979) spends −log2 P bits on a token of probability P, and next to nothing
more. That of constriction (Bamler 2022) is used, which gives every token at least 2^-24.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import CharlmError
from ..lm import Ids
from ..system.extras import require_packages
from .portable import Scores, whole

ONE = float(1 << 24)  # the weight of the most probable token, in whole numbers
WORDS = np.dtype("<u4")


def library() -> Any:
    """constriction. Raises CharlmError where it is not installed."""
    require_packages("compressing with a model", "constriction")
    import constriction

    return constriction.stream


class Encoder:
    """Puts tokens one after another into a string of bytes."""

    def __init__(self) -> None:
        stream = library()
        self.coder = stream.queue.RangeEncoder()
        self.model = stream.model.Categorical(perfect=False)

    def put(self, ids_B: Ids, scores_BV: Scores) -> None:
        """Append B tokens, each with its scores."""
        self.coder.encode(ids_B.astype(np.int32), self.model, whole(scores_BV, ONE))

    def finish(self) -> bytes:
        """All bytes."""
        found: bytes = self.coder.get_compressed().astype(WORDS).tobytes()
        return found


class Decoder:
    """Takes the tokens out of it again, given the same scores."""

    def __init__(self, data: bytes) -> None:
        stream = library()
        if len(data) % WORDS.itemsize:
            raise CharlmError("the bytes are not those of a text of this model")
        self.coder = stream.queue.RangeDecoder(np.frombuffer(data, WORDS).astype(np.uint32))
        self.model = stream.model.Categorical(perfect=False)

    def take(self, scores_BV: Scores) -> Ids:
        """The next B tokens. Raises CharlmError if the bytes cannot be those of tokens."""
        try:
            found: Ids = self.coder.decode(self.model, whole(scores_BV, ONE))
        except AssertionError:
            raise CharlmError("the bytes are not those of a text of this model") from None
        return found
