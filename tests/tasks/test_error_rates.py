"""Error rates, counted by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.errors import CharlmError
from charlm.tasks.error_rates import Edits, ErrorRate, References
from charlm.tasks.nbest import Hypothesis, Utterance


def lists(*texts: str, id: str = "u") -> Utterance:
    return Utterance(id, tuple(Hypothesis(text, 0.0) for text in texts))


def test_errors_are_counted_by_words_or_characters() -> None:
    utterances = [lists("the pair", "")]
    words = References(utterances, {"u": "the pear tree"})
    assert words.distances_N.tolist() == [2, 3]
    assert words.error_rate([0]).edits == (Edits(1, 0, 1, 3),)
    assert words.error_rate([1]).edits == (Edits(0, 0, 3, 3),)
    assert words.error_rate([0]).rate == pytest.approx(2 / 3)
    chars = References(utterances, {"u": "the  pear"}, "cer")
    assert chars.distances_N.tolist() == [2, 8]
    assert chars.error_rate([0]).edits == (Edits(2, 0, 0, 8),)
    with pytest.raises(CharlmError, match="no reference for u"):
        References(utterances, {})
    with pytest.raises(CharlmError, match="unknown metric"):
        References(utterances, {"u": "x"}, "ser")


def test_an_insertion_is_a_word_too_many() -> None:
    found = References([lists("the the pear")], {"u": "the pear"}).error_rate([0])
    assert found.edits == (Edits(0, 1, 0, 2),)
    assert found.as_dict()["insertions"] == 1


def test_the_oracle_takes_the_fewest_errors() -> None:
    utterances = [lists("a", "a b", "a b c"), lists("x", id="v")]
    references = References(utterances, {"u": "a b d", "v": "x"})
    assert references.oracle() == [1, 0]


def test_intervals_and_reductions() -> None:
    before = ErrorRate(tuple(Edits(k % 3, 0, 0, 10) for k in range(300)))
    after = ErrorRate(tuple(Edits(min(k % 3, 1), 0, 0, 10) for k in range(300)))
    low, high = before.interval
    assert low < before.rate == 0.1 < high
    assert high - low == pytest.approx(4 * math.sqrt(2 / 3 / 300) / 10, rel=0.1)
    saved, low, high = before.reduction(after)
    assert saved == pytest.approx(1 / 30)
    assert 0 < low < saved < high
    assert before.reduction(before) == (0, 0, 0)
    assert math.isnan(ErrorRate((Edits(0, 1, 0, 0),)).rate)


words = st.lists(st.sampled_from("abc"), max_size=6)


@given(reference=words, hypothesis=words)
def test_kinds_of_errors_add_up_to_the_distance(
    reference: list[str], hypothesis: list[str]
) -> None:
    found = References([lists(" ".join(hypothesis))], {"u": " ".join(reference)})
    (edits,) = found.error_rate([0]).edits
    assert edits.total == found.distances_N[0]
    assert edits.length == len(reference)
    assert len(hypothesis) == len(reference) + edits.insertions - edits.deletions
