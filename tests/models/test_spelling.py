"""Unknown words and characters have a probability of their own: an open vocabulary."""

from __future__ import annotations

import math
import sys
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toys import TEXTS, tokenizer_of

from charlm.config import TokenizerConfig
from charlm.errors import CharlmError
from charlm.models import spelling
from charlm.models.kneser_ney import estimate
from charlm.models.spelling import Speller, log_of_character, log_of_spelling
from charlm.tasks.measure import measure
from charlm.text.char_tokenizer import CharTokenizer
from charlm.text.tokenizer import build, from_dict
from charlm.text.word_tokenizer import MAX_RARE, WordTokenizer

WORDS = ["ab", "abba", "b", "bab", "aab", "abab", "ba"]


def test_all_spellings_together_have_no_more_than_all_probability() -> None:
    """Of two letters up to length 9; what is left over is longer, or has other letters."""
    speller = Speller(WORDS)
    total = sum(
        math.exp(speller.logprob(["".join(letters)]))
        for length in range(10)
        for letters in product("ab", repeat=length)
    )
    assert 0.8 < total < 1


def test_all_characters_together_have_no_more_than_all_probability() -> None:
    nats = [log_of_character(chr(point)) for point in range(sys.maxunicode + 1)]
    assert 0.8 < math.fsum(map(math.exp, nats)) <= 1
    assert log_of_character("☃") == log_of_character("é") > log_of_character("\udc80")


@given(st.lists(st.text("abc☃", max_size=6), max_size=5))
def test_words_are_spelled_one_by_one(words: list[str]) -> None:
    speller = Speller(WORDS)
    one_by_one = [Speller(WORDS).logprob([word]) for word in words]
    assert speller.logprob(words) == pytest.approx(sum(one_by_one))
    assert speller.logprob(words + words) == pytest.approx(2 * sum(one_by_one))


def test_a_spelling_is_that_of_the_n_gram_model_of_the_words() -> None:
    chars = CharTokenizer.train(["".join(f"{word}\n" for word in WORDS)])
    text = np.concatenate([chars.encode(f"{word}\n") for word in WORDS])
    lm = estimate(text, chars.vocab_size, chars.eos, spelling.ORDER, lines=True)
    (nats,) = lm.logprobs([chars.encode("a☃\n")])
    expected = nats.sum() - math.log(spelling.ASSIGNED + 1)
    assert Speller(WORDS).logprob(["a☃"]) == pytest.approx(expected, abs=1e-5)


def test_words_are_likelier_the_more_they_look_like_words() -> None:
    speller = Speller(["walking", "talking", "sinking", "thinking", "linked"])
    assert speller.logprob(["winking"]) > speller.logprob(["gniknik"]) > speller.logprob(["☃☃☃"])
    assert math.isfinite(Speller([]).logprob(["any"]))


@pytest.mark.parametrize("level", TEXTS)
def test_only_what_is_unknown_is_spelled(level: str) -> None:
    tokenizer = tokenizer_of(level)
    known = TEXTS[level]
    ids = tokenizer.encode(known)
    nats = np.full(len(ids), -1.0, np.float32)
    assert measure(known, ids, nats, tokenizer).spelling == 0
    text = "the ☃ sat\n☃☃ zeb"
    unknown = tokenizer.unknown(text)
    ids = tokenizer.encode(text)
    assert len(unknown) == (0 if tokenizer.unk is None else (ids == tokenizer.unk).sum())
    found = measure(text, ids, np.full(len(ids), -1.0, np.float32), tokenizer)
    assert found.spelling == log_of_spelling(tokenizer, text)
    assert (found.spelling < 0) == bool(unknown)
    if level == "word":
        assert unknown == ["☃", "☃☃", "zeb"]
    if level == "char":
        assert found.spelling == pytest.approx(len(unknown) * log_of_character("☃"))


# ── what is spelled after ────────────────────────────────────────────────────────────────────


def test_rare_words_are_kept_with_the_vocabulary() -> None:
    text = "a a a b b c d e\nf a b c\n"
    some = build(TokenizerConfig("word", min_count=2), [text])
    assert isinstance(some, WordTokenizer)
    assert list(some.rare) == list(some.typical_unknown()) == ["d", "e", "f"]
    again = from_dict(some.as_dict())
    assert again.as_dict() == some.as_dict()
    assert log_of_spelling(again, "x de") == log_of_spelling(some, "x de") < 0
    whole = build(TokenizerConfig("word"), [text])
    assert isinstance(whole, WordTokenizer)
    assert list(whole.rare) == []
    assert "rare" not in whole.as_dict()
    assert list(whole.typical_unknown()) == ["a", "b", "c", "d", "e", "f"]
    small = build(TokenizerConfig("word", vocab_size=4), [text])
    assert small.as_dict()["rare"] == ["c", "d", "e", "f"]
    assert small.extended(TokenizerConfig("word"), ["c c x\n"]).as_dict()["rare"] == ["d", "e", "f"]


def test_not_too_many_rare_words_are_kept() -> None:
    text = " ".join(f"w{k}" for k in range(2 * MAX_RARE + 5)) + "\n"
    tokenizer = WordTokenizer.train([text], vocab_size=12)
    assert len(tokenizer.rare) <= MAX_RARE
    assert len(set(tokenizer.rare)) > MAX_RARE / 2
    assert not set(tokenizer.rare) & set(tokenizer.as_dict()["words"])


@pytest.mark.parametrize("rare", [["a b"], ["a" * 65], ["x"] * (MAX_RARE + 1), "abc", [1]])
def test_damaged_rare_words(rare: object) -> None:
    whole = build(TokenizerConfig("word"), ["a b\n"]).as_dict()
    with pytest.raises(CharlmError, match="damaged"):
        from_dict({**whole, "rare": rare})


def test_long_words_are_not_kept_for_their_spelling() -> None:
    text = f"a a {'b' * 64} {'c' * 65}\n"
    assert build(TokenizerConfig("word", min_count=2), [text]).as_dict()["rare"] == ["b" * 64]
    whole = build(TokenizerConfig("word"), [text])
    assert isinstance(whole, WordTokenizer)
    assert "c" * 65 not in whole.typical_unknown()


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spelling, "MAX_KNOWN", 3)
    speller = Speller(WORDS)
    once = [speller.logprob([word]) for word in "abcdefgh"]
    assert len(speller._known) <= 4
    assert [speller.logprob([word]) for word in "abcdefgh"] == once
    assert speller.logprob(list("abcdefgh")) == pytest.approx(sum(once))
