"""Minimal pairs: the judgement, its statistics, and reading the files."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toys import pair_of, tokenizer_of

from charlm.errors import CharlmError
from charlm.models.kneser_ney import estimate
from charlm.tasks.pairs import (
    Pair,
    PairSource,
    accuracy,
    collect,
    differing,
    read,
    score_pairs,
    wilson,
)
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
    assert scored.overall.ties == len(scored.pairs)


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
    assert overall.ties == 1  # a tie is no success
    assert overall.right == sum(one.good > one.bad for one in scored.pairs)
    groups = scored.by_phenomenon
    assert list(groups) == ["agreement", "letters", "order"]
    assert sum(group.total for group in groups.values()) == 4
    assert math.isnan(accuracy([]).rate)


def test_wilson_s_interval() -> None:
    # Newcombe 1998, table I, method 3: 81 of 263, and 0 of 20
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_reading() -> None:
    blimp = {"sentence_good": "a b", "sentence_bad": "b a", "UID": "order_1", "field": "syntax"}
    lines = ["good one\tbad one\tkind", "", json.dumps(blimp), "x\ty"]
    assert read(lines, "f") == [
        Pair("good one", "bad one", "kind"),
        Pair("a b", "b a", "order_1"),
        Pair("x", "y", ""),
    ]
    assert read([json.dumps(blimp)], "f", by="field")[0].phenomenon == "syntax"
    named = ["phenomenon\tbad\tgood", "p\tb\tg"]
    assert read(named, "f") == [Pair("g", "b", "p")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("alone", "line 2: expected two sentences"),
        ("{broken", "line 2: not valid JSON"),
        ('{"sentence_good": "a"}', "line 2: sentence_bad"),
        ('{"sentence_good": 1, "sentence_bad": "b"}', "line 2: sentence_good"),
        ("a\t ", "line 2: sentence_bad"),
    ],
)
def test_lines_that_are_wrong(line: str, message: str) -> None:
    with pytest.raises(CharlmError, match=message):
        read(["a\tb", line], "f")


def test_no_pairs_at_all() -> None:
    with pytest.raises(CharlmError, match="no pairs"):
        read(["", " "], "f")


def test_pairs_are_given_in_many_ways(tmp_path: Path) -> None:
    file = tmp_path / "pairs.tsv"
    file.write_text("a\tb\tkind\n")
    from_file, plain = Pair("a", "b", "kind"), Pair("c", "d")
    assert collect(str(file)) == collect([file]) == [from_file]
    given: list[PairSource] = [file, ("c", "d"), plain, ("e", "f", "order")]
    assert collect(given) == [from_file, plain, plain, Pair("e", "f", "order")]
    with pytest.raises(CharlmError, match="no pairs"):
        collect([])
