"""Rows for analyses: what is derived follows from what is scored."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from toys import TEXTS, pair_of

from charlm.measures import bits
from charlm.tasks.score import score
from charlm.tasks.word_rows import word_rows
from charlm.text.stimuli import Stimulus

SENTENCES = ["the cat sat", "a cat", "the the the cat sat on a mat", "cat"]

levels = pytest.mark.parametrize("level", TEXTS)


@levels
def test_rows(level: str) -> None:
    lm, tokenizer = pair_of(level)
    given = [Stimulus("the cat sat", 4, {"item": "7", "word": "x"})]
    scores = score(lm, tokenizer, [given[0].text], words=True)
    rows = list(word_rows(zip(given, scores, strict=True), len))
    assert [row["line"] for row in rows] == [4] * 4
    assert [row["word_id"] for row in rows] == [1, 2, 3, 4]
    assert [row["item"] for row in rows] == ["7"] * 4
    assert [row["stimulus_word"] for row in rows] == ["x"] * 4  # `word` is the table's own
    assert [row["length"] for row in rows] == [3, 3, 3, 0]
    assert [row["frequency"] for row in rows[:3]] == [3, 3, 3]
    assert math.isnan(rows[3]["frequency"])
    assert {row["entropy_of"] for row in rows} == {level}
    surprisals = [row["surprisal"] for row in rows]
    assert [row["prev_surprisal"] for row in rows[1:]] == surprisals[:-1]
    assert [row["prev2_surprisal"] for row in rows[2:]] == surprisals[:-2]
    assert math.isnan(rows[0]["prev_surprisal"])
    assert math.isnan(rows[1]["prev2_surprisal"])
    for row, following in pairwise(rows):
        reduction = row["entropy"] - following["entropy"]
        assert row["entropy_reduction"] == pytest.approx(max(0.0, reduction), abs=1e-9)
    assert math.isnan(rows[-1]["entropy_reduction"])


@levels
def test_entropy_is_that_of_the_distribution_before_the_word(level: str) -> None:
    lm, tokenizer = pair_of(level)
    (one,) = score(lm, tokenizer, ["the cat"], words=True, eos=False)
    assert one.word_scores is not None
    predicted = lm.predict(lm.start(1))[0].astype(np.float64)
    entropy = -float((np.exp(predicted) * predicted).sum())
    assert one.word_scores[0].entropy == pytest.approx(entropy, abs=1e-5)
    # without <EOS> what follows the last word is predicted all the same
    state = lm.start(1)
    for id in tokenizer.encode("the cat"):
        state = lm.advance(state, np.array([id]))
    predicted = lm.predict(state)[0].astype(np.float64)
    entropy = -float((np.exp(predicted) * predicted).sum())
    assert one.word_scores[-1].entropy_after == pytest.approx(entropy, abs=1e-5)
    before = one.word_scores[-1].entropy
    assert one.word_scores[-1].entropy_reduction == pytest.approx(
        max(0.0, bits(before - entropy)), abs=1e-5
    )


@levels
def test_numbers_do_not_depend_on_what_else_is_scored(level: str) -> None:
    """To 1e-5 nats: products of matrices round differently for different numbers of rows."""
    lm, tokenizer = pair_of(level)
    together = score(lm, tokenizer, SENTENCES * 20, words=True)
    for sentence, in_batch in zip(SENTENCES * 20, together, strict=True):
        (alone,) = score(lm, tokenizer, [sentence], words=True)
        for one, other in zip(alone.word_scores or (), in_batch.word_scores or (), strict=True):
            assert one.word == other.word
            assert one.logprob == pytest.approx(other.logprob, abs=1e-5)
            assert one.entropy == pytest.approx(other.entropy, abs=1e-5)
