"""Minimal pairs: the judgement and its statistics."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toys import TEXTS, pair_of, tokenizer_of

from charlm.errors import CharlmError
from charlm.models.kneser_ney import estimate
from charlm.tasks.pairs import Pair, accuracy, differing, score_pairs
from charlm.tasks.score import encode_line, score

PAIRS = [
    Pair("the cat was full", "the cat were full", "agreement"),
    Pair("a b c", "a d c", "letters"),
    Pair("abc", "abc", "letters"),
    Pair("the cats sat on the mat", "the cats on the mat sat", "order"),
]


@pytest.mark.parametrize("level", ["char", "word", "byte"])
def test_numbers_are_those_of_one_sentence_at_a_time(level: str) -> None:
    lm, tokenizer = pair_of(level)
    for one in score_pairs(lm, tokenizer, PAIRS * 3).pairs:
        good = score(lm, tokenizer, [one.pair.good])[0].logprob
        bad = score(lm, tokenizer, [one.pair.bad])[0].logprob
        assert one.good == pytest.approx(good, abs=1e-4)
        assert one.bad == pytest.approx(bad, abs=1e-4)
        assert one.right == (good > bad + 1e-9)


@pytest.mark.parametrize("level", ["char", "word"])
def test_an_ngram_model_s_numbers_are_exactly_those(level: str) -> None:
    tokenizer = tokenizer_of(level)
    text = "the cat sat on the mat\nthe cats were full\nabc de\n" * 3
    ids = tokenizer.encode(text)
    lm = estimate(ids, tokenizer.vocab_size, tokenizer.eos, 3, lines=level == "word")
    for one in score_pairs(lm, tokenizer, PAIRS * 2).pairs:
        good, bad = (
            score(lm, tokenizer, [text])[0].logprob for text in (one.pair.good, one.pair.bad)
        )
        assert (one.good, one.bad, one.right) == (good, bad, good > bad)


def test_the_same_tokens_have_the_same_probability() -> None:
    lm, tokenizer = pair_of("word")
    names = [f"{x}{y} sat" for x in "xyzuvw" for y in "xyzuvw"]  # all of them <UNK> sat
    scored = score_pairs(lm, tokenizer, [Pair(*two) for two in pairwise(names)])
    assert scored.overall.undecided == len(scored.pairs)


def test_norms_and_regions() -> None:
    lm, tokenizer = pair_of("char")
    pair = PAIRS[0]
    whole, token, char, region = (
        score_pairs(lm, tokenizer, [pair], **how).pairs[0]
        for how in ({}, {"norm": "token"}, {"norm": "char"}, {"region": True})
    )
    assert token.good == pytest.approx(whole.good / (len(pair.good) + 1))
    assert char.bad == pytest.approx(whole.bad / (len(pair.bad) + 1))
    one, other = encode_line(tokenizer, pair.good), encode_line(tokenizer, pair.bad)
    where, there = differing(one, other)
    assert (where.start, where.stop) == (9, 11)  # w[as] f…; the other: w[ere]
    assert (there.start, there.stop) == (9, 12)
    assert region.good == pytest.approx(lm.logprobs([one])[0][where].sum(), abs=1e-5)
    with pytest.raises(CharlmError, match="norm token"):
        score_pairs(lm, tokenizer, [pair], region=True, norm="char")


@given(one=st.lists(st.integers(0, 2), max_size=9), other=st.lists(st.integers(0, 2), max_size=9))
def test_differing_is_all_that_is_not_common(one: list[int], other: list[int]) -> None:
    a, b = np.array(one, np.int64), np.array(other, np.int64)
    where, there = differing(a, b)
    assert one[: where.start] == other[: there.start]
    assert one[where.stop :] == other[there.stop :]
    if one == other:
        assert one[where] == other[there] == []


def test_accuracy() -> None:
    lm, tokenizer = pair_of("char")
    scored = score_pairs(lm, tokenizer, PAIRS)
    overall = scored.overall
    assert scored.accuracy == overall.rate
    assert overall.total == 4
    assert overall.undecided == 1  # half right
    assert overall.right == sum(one.good > one.bad for one in scored.pairs)
    assert overall.rate == (overall.right + 0.5) / 4
    assert [one.decision for one in scored.pairs].count("undecided") == 1
    groups = scored.by_phenomenon
    assert list(groups) == ["agreement", "letters", "order"]
    assert sum(group.total for group in groups.values()) == 4
    assert math.isnan(accuracy([]).rate)


def test_unknown_words_are_counted_and_left_out() -> None:
    lm, tokenizer = pair_of("word")
    given = [Pair("the cat sat", "the sat cat"), Pair("the zebra sat", "zebra the sat")]
    scored = score_pairs(lm, tokenizer, given)
    assert [(one.good_oov, one.bad_oov) for one in scored.pairs] == [(0, 0), (1, 1)]
    left = score_pairs(lm, tokenizer, given, skip_oov=True)
    assert (left.pairs, left.skipped) == (scored.pairs[:1], 1)
    with pytest.raises(CharlmError, match="every pair has an unknown word"):
        score_pairs(lm, tokenizer, given[1:], skip_oov=True)


@pytest.mark.parametrize("level", TEXTS)
def test_words_at_a_position_are_compared_as_whole_words(level: str) -> None:
    lm, tokenizer = pair_of(level)
    pair = Pair("the cat sat", "the cat ate", shared=len("the cat "))
    whole = PAIRS[0]
    scored = score_pairs(lm, tokenizer, [pair, whole, pair]).pairs
    assert scored[0] == scored[2]
    assert scored[1] == score_pairs(lm, tokenizer, [whole]).pairs[0]
    for text, found in ((pair.good, scored[0].good), (pair.bad, scored[0].bad)):
        (one,) = score(lm, tokenizer, [text], eos=False, words=True)
        assert found == pytest.approx((one.word_scores or ())[-1].logprob, abs=1e-5)
    assert scored[0].good_region == scored[0].good
    token, char = (score_pairs(lm, tokenizer, [pair], norm=n).pairs[0] for n in ("token", "char"))
    assert char.good == pytest.approx(scored[0].good / 3, abs=1e-5)
    pieces = len(tokenizer.encode(pair.good)) - len(tokenizer.encode("the cat"))
    assert token.good == pytest.approx(scored[0].good / max(1, pieces), abs=1e-5)


def test_two_unknown_words_are_a_tie() -> None:
    lm, tokenizer = pair_of("word")
    pairs = [Pair(f"the {x}xyz", f"the {x}zyx", shared=4) for x in "abcdefg"]
    assert score_pairs(lm, tokenizer, pairs).overall.undecided == len(pairs)
