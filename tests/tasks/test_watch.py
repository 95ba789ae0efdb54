"""What is seen while a text is typed: the numbers of reading it whole."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import TEXTS, pair_of

from charlm.lm import causal
from charlm.models.activations import activations
from charlm.models.kneser_ney import estimate
from charlm.tasks.score import score
from charlm.tasks.watch import STRIDE, Watcher

levels = pytest.mark.parametrize("level", TEXTS)


@levels
@settings(max_examples=20, deadline=None)
@given(text=st.text("ab the,\n", max_size=20))
def test_the_numbers_are_those_of_scoring(level: str, text: str) -> None:
    lm, tokenizer = pair_of(level)
    seen = Watcher(lm, tokenizer, top_k=3).glance(text)
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
    seen = Watcher(lm, tokenizer).glance("the cat ")
    ids = tokenizer.encode("the cat" if level in ("word", "subword") else "the cat ")
    ((_, found),) = activations(lm, ids)
    assert seen.units.keys() == found.keys()
    for place, values_TH in found.items():
        np.testing.assert_array_equal(seen.units[place], values_TH[-1])
    assert Watcher(lm, tokenizer).glance("").units == {}


def test_words_are_read_when_they_have_ended() -> None:
    lm, tokenizer = pair_of("word")
    seen = Watcher(lm, tokenizer, top_k=9).glance("the ca")
    assert (seen.pieces, seen.unfinished) == (("the ",), "ca")
    assert seen.next.tokens
    assert all(one.token.startswith("ca") for one in seen.next.tokens)
    nats = lm.predict(lm.read(lm.start(1), tokenizer.encode("the")[None])[1])[0]
    entropy = -(np.exp(nats.astype(np.float64)) * nats).sum() / math.log(2)
    assert seen.next.entropy == pytest.approx(entropy, abs=1e-4)
    assert Watcher(lm, tokenizer).glance("the zebr").next.tokens == []


def test_n_gram_models_have_no_units() -> None:
    _, tokenizer = pair_of("char")
    ids = tokenizer.encode("abc cab\n" * 9)
    lm = causal(estimate(ids, tokenizer.vocab_size, tokenizer.eos, 3, lines=True))
    seen = Watcher(lm, tokenizer).glance("cab")
    assert seen.units == {}
    assert seen.pieces == ("c", "a", "b")


@levels
@settings(max_examples=25, deadline=None)
@given(
    texts=st.lists(st.text("ab the,\n", max_size=90), min_size=2, max_size=5),
    kept=st.lists(st.integers(0, 90), min_size=5, max_size=5),
)
def test_what_was_read_before_changes_nothing(
    level: str, texts: list[str], kept: list[int]
) -> None:
    """Text is added to, deleted at the end, and begun anew."""
    lm, tokenizer = pair_of(level, "lstm")
    watcher, text = Watcher(lm, tokenizer), ""
    for more, k in zip(texts, kept, strict=False):
        text = text[:k] + more
        seen, fresh = watcher.glance(text), Watcher(lm, tokenizer).glance(text)
        assert seen.pieces == fresh.pieces
        assert seen.surprisals == pytest.approx(fresh.surprisals, abs=1e-4)
        assert seen.next.entropy == pytest.approx(fresh.next.entropy, abs=1e-4)
        assert seen.units.keys() == fresh.units.keys()
        for place, values_H in seen.units.items():
            np.testing.assert_allclose(values_H, fresh.units[place], atol=1e-5)


class Counting:
    """A model that counts the tokens it reads."""

    def __init__(self, lm: Any) -> None:
        self.lm, self.tokens = lm, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.lm, name)

    def read(self, state: Any, ids_BT: Any) -> Any:
        self.tokens += ids_BT.size
        return self.lm.read(state, ids_BT)


def test_only_what_is_new_is_read() -> None:
    lm, tokenizer = pair_of("char")
    counting = Counting(lm)
    watcher = Watcher(counting, tokenizer)
    text = "abc de, fgh" * 30
    watcher.glance(text)
    assert counting.tokens == len(text)
    watcher.glance(text + "a")
    assert counting.tokens == len(text) + 1
    watcher.glance(text)
    assert counting.tokens <= len(text) + 1 + STRIDE


def test_unknown_tokens_are_shown_as_they_were_typed() -> None:
    seen = Watcher(*pair_of("word")).glance("the Zyx sat\nZyx, ")
    assert seen.pieces == ("the ", "Zyx <UNK> ", "sat ", "\n", "Zyx, <UNK> ")
    assert Watcher(*pair_of("char")).glance("aжb").pieces == ("a", "ж<UNK>", "b")


def test_a_tab_ends_a_word() -> None:
    seen = Watcher(*pair_of("word")).glance("the\tcat\tsa")
    assert (seen.pieces, seen.unfinished) == (("the ", "cat "), "sa")
    assert Watcher(*pair_of("subword")).glance("the\tcat").unfinished == "the\tcat"
