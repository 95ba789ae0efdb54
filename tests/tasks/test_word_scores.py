"""Word probabilities against their definition, by brute force."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import TEXTS, pair_of, recurrent_lm

from charlm.lm import CausalLM, Ids
from charlm.tasks.score import score
from charlm.tasks.word_scores import WordScore, boundary_mass, word_scores
from charlm.text.char_tokenizer import CharTokenizer
from charlm.text.tokenizer import Tokenizer
from charlm.text.word_tokenizer import WordTokenizer

levels = pytest.mark.parametrize("level", TEXTS)
texts = st.text("ab the,ü☃ ", max_size=25)


def words_of(
    lm: CausalLM[Any], tokenizer: Tokenizer, text: str, eos: bool = True
) -> list[WordScore]:
    (one,) = score(lm, tokenizer, [text], eos=eos, words=True)
    assert one.word_scores is not None
    return list(one.word_scores)


def begins_with(lm: CausalLM[Any], tokenizer: Tokenizer, ids: Ids) -> float:
    """P(a text's first words are spelt `ids`, and end there), by summing over what may follow."""
    boundaries = np.flatnonzero(tokenizer.starts_word())
    spelt = lm.logprobs([np.append(ids, token) for token in boundaries])
    return float(sum(math.exp(float(nats.sum(dtype=np.float64))) for nats in spelt))


@levels
@settings(max_examples=30, deadline=None)
@given(text=texts)
def test_words_and_sentence_end_add_up_to_the_sentence(level: str, text: str) -> None:
    lm, tokenizer = pair_of(level)
    (one,) = score(lm, tokenizer, [text], words=True)
    assert one.word_scores is not None
    total = sum(word.logprob for word in one.word_scores)
    assert total == pytest.approx(one.logprob, abs=1e-9)
    words = [word.word for word in one.word_scores]
    assert words[-1] == "</s>"
    if level != "word":
        assert words[:-1] == text.split()


@levels
@settings(max_examples=30, deadline=None)
@given(text=st.text().map(lambda text: text.replace("\n", "\t")), eos=st.booleans())
def test_any_text_has_words(level: str, text: str, eos: bool) -> None:
    lm, tokenizer = pair_of(level)
    (one,) = score(lm, tokenizer, [text], eos=eos, words=True)
    assert one.word_scores is not None
    total = sum(word.logprob for word in one.word_scores)
    assert total == pytest.approx(one.logprob, abs=1e-9) if eos else total <= one.logprob + 1e-9
    if level == "char":  # the space character is the only white space it knows
        spelt = "".join(word.word for word in one.word_scores).removesuffix("</s>" if eos else "")
        assert "".join(spelt.split()) == "".join(text.split())


@levels
@pytest.mark.parametrize("text", ["the cat sat", "abc", " abc", "a  b  ", "the ☃ cat"])
def test_words_are_what_the_definition_says(level: str, text: str) -> None:
    """P(word | before) = P(text begins with before and word) / P(it begins with before)."""
    lm, tokenizer = pair_of(level)
    words = words_of(lm, tokenizer, text)
    read, before = 0, 1.0
    for n, word in enumerate(words[:-1], 1):
        read = text.index(text.split()[n - 1], read) + len(text.split()[n - 1])
        ids = tokenizer.encode(text[:read])
        now = begins_with(lm, tokenizer, ids)
        assert math.exp(word.logprob) == pytest.approx(now / before, rel=1e-4)
        before = now
    whole = lm.logprobs([tokenizer.encode(text + "\n")])[0].sum()
    assert math.exp(words[-1].logprob) == pytest.approx(math.exp(whole) / before, rel=1e-4)


@pytest.mark.parametrize("context", ["", "ab", "a b"])
def test_the_probabilities_of_all_words_sum_to_one(context: str) -> None:
    """Words of up to 4 letters, the sentence end, and the mass of all that is longer."""
    letters = "ab☃"  # the last is <UNK>, a letter like any other
    tokenizer = CharTokenizer([ord(c) for c in "ab "])
    lm = recurrent_lm("lstm", tokenizer.vocab_size, scale=0.6)
    lead = context + " " if context else ""
    total = 0.0
    for n in range(1, 5):
        for spelling in map("".join, product(letters, repeat=n)):
            total += math.exp(words_of(lm, tokenizer, lead + spelling + " b")[-3].logprob)
    longer = [tokenizer.encode(lead + "".join(s)) for s in product(letters, repeat=5)]
    rest = sum(math.exp(float(nats.sum(dtype=np.float64))) for nats in lm.logprobs(longer))
    ids = tokenizer.encode(context)
    if context:  # the next word is a space and letters, perhaps none, or it is the sentence end
        before = begins_with(lm, tokenizer, ids)
        none = begins_with(lm, tokenizer, tokenizer.encode(lead))
        total += (rest + none) / before + math.exp(words_of(lm, tokenizer, context)[-1].logprob)
    else:  # the first word is letters, perhaps none
        total += rest + begins_with(lm, tokenizer, ids)
    assert total == pytest.approx(1, abs=1e-5)


def test_without_the_sentence_end() -> None:
    lm, tokenizer = pair_of("char")
    with_end = words_of(lm, tokenizer, "abc de")
    without = words_of(lm, tokenizer, "abc de", eos=False)
    assert without == with_end[:-1]
    expected = begins_with(lm, tokenizer, tokenizer.encode("abc de"))
    assert sum(word.logprob for word in without) == pytest.approx(math.log(expected), abs=1e-4)
    assert [w.word for w in words_of(lm, tokenizer, "abc ", eos=False)] == ["abc", ""]


def test_a_word_model_needs_no_correction() -> None:
    lm, tokenizer = pair_of("word")
    (one,) = score(lm, tokenizer, ["the dog sat"], tokens=True, words=True)
    assert one.token_scores is not None
    assert one.word_scores is not None
    assert [w.word for w in one.word_scores] == ["the", "dog", "sat", "</s>"]
    assert [t.token for t in one.token_scores] == ["the", "<UNK>", "sat", "</s>"]
    assert [w.logprob for w in one.word_scores] == [t.logprob for t in one.token_scores]


def test_unknown_letters_keep_their_names() -> None:
    lm, tokenizer = pair_of("char")
    assert [w.word for w in words_of(lm, tokenizer, "a☃ ☃ <UNK> c")][:2] == ["a☃", "☃"]


def test_boundary_mass() -> None:
    nats = np.log([[0.5, 0.2, 0.3], [0.1, 0.1, 0.8]])
    np.testing.assert_allclose(
        boundary_mass(nats, np.array([True, False, True])), np.log([0.8, 0.9])
    )
    assert boundary_mass(nats, np.ones(3, bool)).tolist() == [0, 0]
    tiny = np.array([[0.0, -800.0]])
    assert boundary_mass(tiny, np.array([False, True])).tolist() == [-800]


def test_what_follows_the_sentence_end_does_not_count() -> None:
    """And sums are in double precision."""
    _, tokenizer = pair_of("char")
    ids = np.append(tokenizer.encode("a b"), tokenizer.eos)
    nats = np.array([-(2.0**24), -1, -1, -1], np.float32)
    boundary = np.array([0.0, -0.5, -0.25, -2.0, -7.0])
    found = word_scores(tokenizer, "a b", ids, nats, boundary, np.zeros(5))
    assert [(one.word, one.logprob) for one in found] == [
        ("a", -(2.0**24) - 0.5),
        ("b", -2 - 2 + 0.5),
        ("</s>", -1 + 2),
    ]


@pytest.mark.parametrize("split", ["whitespace", "unicode"])
def test_words_are_named_as_they_are_written(split: str) -> None:
    tokenizer = WordTokenizer(["the", "cat"], split, lower=True)
    lm = recurrent_lm("gru", tokenizer.vocab_size)
    found = words_of(lm, tokenizer, " The Zebra  CAT the")
    assert [(one.word, one.start, one.end, one.oov) for one in found] == [
        ("The", 1, 4, 0),
        ("Zebra", 5, 10, 1),
        ("CAT", 12, 15, 0),
        ("the", 16, 19, 0),
        ("</s>", 19, 19, 0),
    ]


@levels
@pytest.mark.parametrize("text", ["", "the cat  sat", "a☃ ☃☃ a a", " the", "naïve 猫 "])
def test_where_words_stand(level: str, text: str) -> None:
    lm, tokenizer = pair_of(level)
    *words, end = words_of(lm, tokenizer, text)
    assert [text[one.start : one.end] for one in words] == text.split()
    assert [one.word for one in words] == text.split()
    assert (end.start, end.end) == (len(text), len(text))
    assert all(one.end <= other.start for one, other in pairwise(words))
    unknown = [len(tokenizer.unknown(one.word)) for one in words]
    assert [one.oov for one in words] == unknown


@levels
def test_the_entropy_is_that_of_the_next_token(level: str) -> None:
    lm, tokenizer = pair_of(level)
    for one in words_of(lm, tokenizer, "the cat sat"):
        before = tokenizer.encode("the cat sat"[: one.start].rstrip(" "))
        _, state = lm.read(lm.start(1), before[None])
        nats = lm.predict(state)[0].astype(np.float64)
        assert one.entropy == pytest.approx(-(np.exp(nats) * nats).sum(), abs=1e-4)
        assert one.as_dict()["entropy"] == pytest.approx(one.entropy / math.log(2))


@pytest.mark.parametrize(
    ("before", "after", "reduction"),
    [(2.0, 0.5, 1.5), (2.0, 1.9, 0.1), (0.5, 2.0, 0.0), (1.0, 1.0, 0.0)],
)
def test_a_word_makes_what_follows_more_certain_or_not(
    before: float, after: float, reduction: float
) -> None:
    lm, tokenizer = pair_of("word")
    word = replace(words_of(lm, tokenizer, "the cat")[0], entropy=before, entropy_after=after)
    assert word.entropy_reduction == pytest.approx(reduction / math.log(2))
    assert math.isnan(replace(word, entropy_after=math.nan).entropy_reduction)
