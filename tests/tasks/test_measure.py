"""Measures of a text from its tokens."""

from __future__ import annotations

import math

import numpy as np
import pytest

from charlm.tasks.measure import measure_ids

NATS = np.log([0.5, 0.25, 0.125])


def test_totals_without_the_text() -> None:
    found = measure_ids(np.array([3, 1, 1]), NATS, 1)
    assert (found.tokens, found.chars, found.bytes, found.oov) == (3, 0, 0, 2)
    assert found.logprob == pytest.approx(math.log(1 / 64))
    assert found.oov_logprob == pytest.approx(math.log(1 / 32))
    assert math.isnan(found.spelling)  # of words that nobody has told


def test_nothing_is_unknown_to_a_model_without_unk() -> None:
    for unk in (None, 7):
        found = measure_ids(np.array([3, 1, 1]), NATS, unk, chars=5, bytes=6)
        assert (found.chars, found.bytes, found.oov, found.oov_logprob) == (5, 6, 0, 0)
        assert found.spelling == 0
