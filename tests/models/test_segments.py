"""A text read in segments: every token counts once, after the context it had."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.models.segments import MAX_SEGMENTS, WARM_UP_TOKENS, Segments

EOS = -7


@given(st.integers(1, 3 * MAX_SEGMENTS * WARM_UP_TOKENS))
def test_every_token_counts_once_and_in_order(n: int) -> None:
    text = Segments(np.arange(n), EOS)
    begin, end = -text.warm_up, text.length
    tokens, counted = text.tokens(begin, end), text.scored(begin, end)
    assert tokens.shape == counted.shape == (text.rows, end - begin)
    np.testing.assert_array_equal(tokens[counted], np.arange(n))


@pytest.mark.parametrize("n", [1, 2 * WARM_UP_TOKENS, 4 * WARM_UP_TOKENS + 3, 50_000])
def test_context_is_what_stands_before(n: int) -> None:
    text = Segments(np.arange(n), EOS)
    context = text.tokens(-text.warm_up, 0)
    assert not text.scored(-text.warm_up, 0).any()
    for row, own in enumerate(context):
        first = row * text.length
        before = [EOS if t < 0 else t for t in range(first - text.warm_up, first)]
        assert own.tolist() == before
