"""Only words of a list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toys import TEXTS, pair_of, recurrent_lm, tokenizer_of

from charlm.config import TokenizerConfig
from charlm.errors import CharlmError
from charlm.tasks.sample import sample
from charlm.tasks.word_list import WordList, known_words, words_in
from charlm.text.tokenizer import build

LIST = WordList(["the cat", "sat", "don't", "so-so", "Paris", "3.14", "猫"])


def test_words_are_told_from_punctuation() -> None:
    assert words_in("“Don't!” – he said, so-so (3.14).") == ["Don't", "he", "said", "so-so", "3.14"]
    assert words_in("我的cat。") == ["我", "的", "cat"]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "the cat sat",
        "The CAT, (sat)!",
        "don't",
        "Don't the…",
        "so-so",
        "Paris",
        "3.14 猫猫",
        " – ",
    ],
)
def test_lines_of_listed_words(line: str) -> None:
    before = ""
    for char in line:
        assert LIST.may_grow(before, before + char), before + char
        before += char
    assert LIST.may_grow("", line)
    assert LIST.may_end(line)


@pytest.mark.parametrize("line", ["dog", "catt", "paris", "don't'x", "thecat", "the dog"])
def test_other_lines(line: str) -> None:
    assert not LIST.may_end(line)
    assert not LIST.may_grow("", line)


@pytest.mark.parametrize("line", ["the ca", "so-", "Par", "don"])
def test_lines_that_may_only_go_on(line: str) -> None:
    assert not LIST.may_end(line)
    assert LIST.may_grow("", line)


@given(
    st.lists(st.sampled_from(["the", "cat", "sat", "don't", "Paris", ",", ".", "("]), max_size=6)
)
def test_all_that_begins_an_allowed_line_may_be_written(words: list[str]) -> None:
    line = " ".join(words)
    assert all(LIST.may_grow(line[:k], line[: k + 1]) for k in range(len(line)))
    assert LIST.may_end(line)


@pytest.mark.parametrize("level", TEXTS)
def test_samples_have_only_words_of_the_list(level: str) -> None:
    lm, tokenizer = pair_of(level)
    words = ["abc", "de"] if level == "char" else ["the", "cats", "cat", "mat"]
    drawn = sample(lm, tokenizer, words=words, num_samples=3, lines=3, max_tokens=60)
    used = set()
    for one in drawn:
        text = one.text if one.ended == "lines" else one.text.rpartition(" ")[0]
        used |= {word.lower() for word in words_in(text.encode(errors="replace").decode())}
    assert used
    assert used <= set(words) | {"cats"}


def test_words_that_the_model_does_not_know() -> None:
    listed, unknown = known_words(tokenizer_of("char"), ["abc", "xyz", "de"])
    assert (listed.words, unknown) == ({"abc", "de"}, 1)
    listed, unknown = known_words(tokenizer_of("word"), ["the", "zebra"])
    assert (listed.words, unknown) == ({"the"}, 1)
    assert known_words(tokenizer_of("byte"), ["zebra"])[1] == 0
    with pytest.raises(CharlmError, match="knows none of the `words`"):
        known_words(tokenizer_of("char"), ["xyz"])
    for empty in ([], ["", " , "]):
        with pytest.raises(CharlmError, match="`words` has no words"):
            WordList(empty)


@pytest.mark.parametrize("level", TEXTS)
def test_the_prompt_has_only_words_of_the_list(level: str) -> None:
    lm, tokenizer = pair_of(level)
    words = ["abc", "de"] if level == "char" else ["the", "cat"]
    for prompt in (f"{words[0]} ", f"{words[1]} {words[0]}", "", f"no\n{words[0]}"):
        sample(lm, tokenizer, words=words, prompt=prompt, max_tokens=2)
    for prompt in (f"bad {words[0]}", f"bad {words[0]} ", "bad "):
        with pytest.raises(CharlmError, match="begins nothing that `words` allows"):
            sample(lm, tokenizer, words=words, prompt=prompt)
    with pytest.raises(CharlmError, match="exclude each other"):
        sample(lm, tokenizer, words=words, allow_unk=True)


def test_names_of_tokens_are_no_words() -> None:
    with pytest.raises(CharlmError, match="knows none"):
        known_words(tokenizer_of("word"), ["s", "unk", "UNK"])


def test_models_in_capitals() -> None:
    tokenizer = build(TokenizerConfig("char"), ["THE CAT\n"])
    listed, unknown = known_words(tokenizer, ["the", "cat", "dog", "Cat"])
    assert (listed.words, unknown) == ({"the", "cat"}, 2)
    lm = recurrent_lm("gru", tokenizer.vocab_size, eos=tokenizer.eos)
    drawn = sample(lm, tokenizer, words=["the", "cat"], num_samples=5, max_tokens=30)
    assert "THE" in {word for one in drawn for word in one.text.split()}


def test_models_in_lower_case() -> None:
    tokenizer = build(TokenizerConfig("word", lower=True), ["paris is red\n"])
    lm = recurrent_lm("gru", tokenizer.vocab_size, eos=tokenizer.eos)
    drawn = sample(lm, tokenizer, words=["Paris"], num_samples=20)
    assert {word for one in drawn for word in one.text.split()} == {"paris"}


def test_the_last_word_of_a_prompt_does_not_grow_in_a_word_model() -> None:
    lm, tokenizer = pair_of("word")
    for begun in ("the ca", "ca"):
        with pytest.raises(CharlmError, match="`prompt` begins nothing"):
            sample(lm, tokenizer, words=["the", "cat"], prompt=begun)
    assert sample(lm, tokenizer, words=["the", "cat"], prompt="the cat", max_tokens=3)
