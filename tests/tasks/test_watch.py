"""What is seen while a text is typed: the numbers of reading it whole."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import TEXTS, pair_of

from charlm.lm import causal
from charlm.models.activations import activations
from charlm.models.kneser_ney import estimate
from charlm.tasks.score import score
from charlm.tasks.watch import glance

levels = pytest.mark.parametrize("level", TEXTS)


@levels
@settings(max_examples=20, deadline=None)
@given(text=st.text("ab the,\n", max_size=20))
def test_the_numbers_are_those_of_scoring(level: str, text: str) -> None:
    lm, tokenizer = pair_of(level)
    seen = glance(lm, tokenizer, text, top_k=3)
    whole = text[: len(text) - len(seen.unfinished)]
    lines = (whole.rstrip(" ") if level in ("word", "subword") else whole).split("\n")
    scored = score(lm, tokenizer, lines, tokens=True, context="stream")
    expected = [t.surprisal for one in scored for t in one.token_scores or ()][:-1]
    assert seen.surprisals == pytest.approx(expected, abs=1e-4)
    assert len(seen.pieces) == len(seen.surprisals)
    assert seen.bits == pytest.approx(sum(expected), abs=1e-3)
    if not seen.unfinished:
        assert len(seen.next.tokens) == 3


@levels
def test_units_are_those_after_the_last_token(level: str) -> None:
    lm, tokenizer = pair_of(level, "lstm")
    seen = glance(lm, tokenizer, "the cat ")
    ids = tokenizer.encode("the cat" if level in ("word", "subword") else "the cat ")
    ((_, found),) = activations(lm, ids)
    assert seen.units.keys() == found.keys()
    for place, values_TH in found.items():
        np.testing.assert_array_equal(seen.units[place], values_TH[-1])
    assert glance(lm, tokenizer, "").units == {}


def test_words_are_read_when_they_have_ended() -> None:
    lm, tokenizer = pair_of("word")
    seen = glance(lm, tokenizer, "the ca", top_k=9)
    assert (seen.pieces, seen.unfinished) == (("the ",), "ca")
    assert seen.next.tokens
    assert all(one.token.startswith("ca") for one in seen.next.tokens)
    nats = lm.predict(lm.read(lm.start(1), tokenizer.encode("the")[None])[1])[0]
    entropy = -(np.exp(nats.astype(np.float64)) * nats).sum() / math.log(2)
    assert seen.next.entropy == pytest.approx(entropy, abs=1e-4)
    assert glance(lm, tokenizer, "the zebr").next.tokens == []


def test_n_gram_models_have_no_units() -> None:
    _, tokenizer = pair_of("char")
    ids = tokenizer.encode("abc cab\n" * 9)
    lm = causal(estimate(ids, tokenizer.vocab_size, tokenizer.eos, 3, lines=True))
    seen = glance(lm, tokenizer, "cab")
    assert seen.units == {}
    assert seen.pieces == ("c", "a", "b")
