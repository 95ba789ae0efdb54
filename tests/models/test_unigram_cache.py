"""The cache of recent tokens."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toys import recurrent_lm

from charlm.errors import CharlmError
from charlm.models.unigram_cache import NO_TOKEN, UnigramCacheLM, fit_cache, recent_counts


@given(before=st.lists(st.integers(0, 3), max_size=5), ids=st.lists(st.integers(0, 3), max_size=30))
def test_counts_are_those_of_the_window(before: list[int], ids: list[int]) -> None:
    W = 5
    pad = np.array([NO_TOKEN] * (W - len(before)) + before)
    counts, known = recent_counts(pad, np.array(ids, np.int64))
    for t, w in enumerate(ids):
        window = [*before, *ids[:t]][-W:]
        assert counts[t] == Counter(window)[w]
        assert known[t] == len(window)


def test_the_formula() -> None:
    lm = recurrent_lm("gru")
    cached = UnigramCacheLM(lm, 0, weight=0.4, window=4)
    state, inner = cached.start(1), lm.start(1)
    read = [0]
    for w in (3, 3, 5, 3, 1, 1):
        state, inner = cached.advance(state, np.array([w])), lm.advance(inner, np.array([w]))
        read = [*read, w][-4:]
        share = 0.4 * len(read) / 4
        expected = (1 - share) * np.exp(lm.predict(inner)[0])
        for token, n in Counter(read).items():
            expected[token] += share * n / len(read)
        np.testing.assert_allclose(np.exp(cached.predict(state)[0]), expected, rtol=1e-5)


def test_the_share_is_fitted() -> None:
    rng = np.random.default_rng(0)
    bursts = np.repeat(rng.integers(50, size=40), 25)
    noise = rng.integers(50, size=1000)
    ids = np.where(rng.random(1000) < 0.3, bursts, noise)
    nats = np.full(1000, -np.log(50.0))
    share, mixed = fit_cache(nats, ids, window=20)
    assert 0.05 < share < 0.4
    assert mixed.mean() > nats.mean() + 0.01
    assert fit_cache(nats, rng.integers(50, size=1000), window=20)[0] < 0.05


def test_values_out_of_range_are_refused() -> None:
    for share, window in ((1.0, 5), (-0.1, 5), (0.1, 0)):
        with pytest.raises(CharlmError, match="cache"):
            UnigramCacheLM(recurrent_lm("gru"), 0, share, window)
