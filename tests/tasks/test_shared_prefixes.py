"""Scoring sequences by the prefixes they share."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from toys import recurrent_lm

from charlm.tasks.shared_prefixes import shared_logprobs


@given(seqs=st.lists(st.lists(st.integers(0, 2), max_size=7), max_size=12))
def test_shared_prefixes_change_nothing(seqs: list[list[int]]) -> None:
    lm = recurrent_lm("lstm")
    arrays = [np.array(seq, np.int64) for seq in seqs]
    for own, alone in zip(shared_logprobs(lm, arrays), lm.logprobs(arrays), strict=True):
        np.testing.assert_allclose(own, alone, atol=1e-5)
