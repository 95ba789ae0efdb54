"""Dynamic evaluation: a model that learns from what it has just read."""

from __future__ import annotations

import numpy as np
import pytest
from toys import recurrent_lm

from charlm.errors import CharlmError
from charlm.models.kneser_ney import estimate
from charlm.network.dynamic_evaluation import SEGMENT_TOKENS, DynamicLM
from charlm.tasks.neural_cache import NeuralCacheLM

PATTERN = np.tile([1, 2, 3, 4, 5, 6, 7], 120)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_the_first_segment_is_static_and_later_ones_are_better(cell: str) -> None:
    lm = recurrent_lm(cell, layers=2)
    static, _ = lm.read(lm.start(1), PATTERN[None])
    adaptive = DynamicLM(lm, rate=1e-2)
    learned, _ = adaptive.read(adaptive.start(1), PATTERN[None])
    np.testing.assert_allclose(learned[0, :SEGMENT_TOKENS], static[0, :SEGMENT_TOKENS], atol=1e-5)
    assert learned[0, -70:].mean() > static[0, -70:].mean() + 0.5
    again, _ = lm.read(lm.start(1), PATTERN[None])
    np.testing.assert_array_equal(again, static)  # the model itself has learned nothing


def test_rate_zero_is_static() -> None:
    lm = recurrent_lm("lstm")
    seqs = [PATTERN[:50], PATTERN[3:9]]
    adaptive = DynamicLM(lm, rate=0.0)
    for own, static in zip(adaptive.logprobs(seqs), lm.logprobs(seqs), strict=True):
        np.testing.assert_allclose(own, static, atol=1e-5)


def test_only_networks_adapt() -> None:
    lm = estimate(np.array([1, 2, 0]), 3, 0, 2, lines=True)
    for kind in (DynamicLM, NeuralCacheLM):
        with pytest.raises(CharlmError, match="recurrent"):
            kind(lm)
