"""Another vocabulary shares out the probability of what a model does not know."""

from __future__ import annotations

import numpy as np
import pytest
from toys import recurrent_lm

from charlm.errors import CharlmError
from charlm.lm import is_backoff
from charlm.models.kneser_ney import estimate
from charlm.models.other_words import OtherWordsLM

IDS = np.array([0, 1, 2, 1, 3, 1])  # the second token of four is shared by three
SHARES = np.log([1, 0.5, 1, 0.2, 1, 0.3])


def test_probabilities_are_shared_out() -> None:
    inner = recurrent_lm("gru", 4)
    lm = OtherWordsLM(inner, 0, 1, IDS, SHARES)
    own, wide = inner.predict(inner.start(1))[0], lm.predict(lm.start(1))[0]
    assert wide[2] == pytest.approx(own[2], abs=1e-6)
    shared = np.exp(own[1]) * np.array([0.5, 0.2, 0.3])
    np.testing.assert_allclose(np.exp(wide[[1, 3, 5]]), shared, rtol=1e-5)
    after = lm.advance(lm.start(1), np.array([5]))
    expected = inner.advance(inner.start(1), np.array([1]))
    np.testing.assert_allclose(lm.predict(after), inner.predict(expected)[:, IDS] + SHARES)


def test_an_ngram_model_still_knows_its_contexts() -> None:
    inner = estimate(np.arange(200) ** 2 % 4, 4, 0, 3, lines=True)
    lm = OtherWordsLM(inner, 0, 1, IDS, SHARES)
    assert is_backoff(lm)
    ids = np.array([[2, 3, 5, 4, 1]])
    np.testing.assert_array_equal(
        lm.matched_before(lm.start(1), ids), inner.matched_before(inner.start(1), IDS[ids])
    )
    state = lm.advance(lm.start(1), np.array([4]))
    own = inner.advance(inner.start(1), np.array([3]))
    assert lm.matched(state) == inner.matched(own)
    assert lm.used_length(state, np.array([5])) == inner.used_length(own, np.array([1]))


def test_unknown_is_also_what_is_left_out() -> None:
    inner = recurrent_lm("gru", 5)
    lm = OtherWordsLM(inner, 0, 1, np.array([0, 1, 3]), np.zeros(3))
    own, found = inner.predict(inner.start(1))[0], lm.predict(lm.start(1))[0]
    assert found[2] == pytest.approx(own[3], abs=1e-6)
    assert np.exp(found[1]) == pytest.approx(np.exp(own[[1, 2, 4]]).sum(), rel=1e-5)
    assert lm.read(lm.start(1), np.array([[1]]))[0] == pytest.approx(found[1], abs=1e-6)
    assert lm.logprobs([np.array([1])])[0] == pytest.approx(found[1], abs=1e-6)


@pytest.mark.parametrize("unk", [-1, 0, 4])
def test_unknown_must_be_a_word(unk: int) -> None:
    with pytest.raises(CharlmError, match="damaged"):
        OtherWordsLM(recurrent_lm("gru", 4), 0, unk, np.arange(4), np.zeros(4))


@pytest.mark.parametrize(
    ("ids", "shares", "eos"),
    [
        ([0, 1, 2, 3, 4], [0.0] * 5, 0),
        ([0, 1, 2, -1], [0.0] * 4, 0),
        ([0, 1, 2, 3], [0.0] * 3, 0),
        ([0, 1, 2, 3], [0.0] * 4, 1),
        ([0, 1, 2, 3], [0.0] * 4, 9),
        ([0, 1, 2, 2], [0.0] * 4, 0),
        ([0, 1, 2, 3], [0.0, np.nan, 0.0, 0.0], 0),
        ([0, 1, 2, 3, 3], [0.0, 0.0, 0.0, 1e9, 0.0], 0),
        ([1, 1, 2, 3], np.log([0.5, 0.5, 1, 1]).tolist(), 0),
    ],
)
def test_what_does_not_fit_is_refused(ids: list[int], shares: list[float], eos: int) -> None:
    with pytest.raises(CharlmError, match="damaged"):
        OtherWordsLM(recurrent_lm("gru", 4), eos, 1, np.array(ids), np.array(shares))
