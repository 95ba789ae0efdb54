"""Blanks filled: exactly where that can be had, and only with what fits."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from toys import random_tensors

from charlm.config import NetworkConfig, TokenizerConfig
from charlm.errors import CharlmError
from charlm.models.bidirectional import BidirectionalLM
from charlm.models.recurrent import RecurrentLM
from charlm.tasks import fill
from charlm.text import tokenizer
from charlm.text.tokenizer import Tokenizer

LETTERS = "abcdefg"


def tokens_of(level: str = "char", text: str = LETTERS, **settings: str) -> Tokenizer:
    return tokenizer.build(TokenizerConfig(level=level, **settings), [text])  # type: ignore[arg-type]


def both_sides(tokens: Tokenizer, **settings: object) -> BidirectionalLM:
    values = {"embed": 6, "hidden": 7, "bidirectional": True, **settings}
    config = NetworkConfig.from_dict({"vocab_size": tokens.vocab_size, **values})
    return BidirectionalLM(config, random_tensors(config, seed=3), tokens.eos)


def one_direction(tokens: Tokenizer) -> RecurrentLM:
    config = NetworkConfig(tokens.vocab_size, embed=6, hidden=7)
    return RecurrentLM(config, random_tensors(config, seed=3), tokens.eos)


def ids_of(tokens: Tokenizer, text: str) -> np.ndarray:
    return np.append(tokens.encode(text), tokens.eos).astype(np.int64)


@pytest.mark.parametrize("text", ["ab_d", "_", "a_c_", "__a"])
def test_left_to_right_finds_the_most_probable_lines(text: str) -> None:
    tokens = tokens_of()
    lm = one_direction(tokens)
    every = []
    for letters in product(LETTERS, repeat=text.count("_")):
        whole = text
        for letter in letters:
            whole = whole.replace("_", letter, 1)
        every.append((float(lm.logprobs([ids_of(tokens, whole)])[0].sum()), whole))
    every.sort(reverse=True)
    found = fill.fill(lm, tokens, text, top_k=6)
    assert [one.text for one in found] == [whole for _, whole in every[:6]]
    np.testing.assert_allclose([one.logprob for one in found], [n for n, _ in every[:6]], atol=1e-4)
    shares = np.exp([n for n, _ in every])
    expected = shares[:6] / shares.sum()
    np.testing.assert_allclose([one.probability for one in found], expected, atol=1e-4)


def test_what_follows_counts_for_nothing_from_the_left() -> None:
    tokens = tokens_of()
    lm = one_direction(tokens)
    two = [fill.fill(lm, tokens, text, left_only=True) for text in ("ab_", "ab_gf")]
    assert [one.tokens for one in two[0]] == [one.tokens for one in two[1]]
    nats = lm.predict(lm.advance(lm.advance(lm.start(1), np.array([2])), np.array([3])))[0, 2:]
    assert two[0][0].logprob == pytest.approx(float(nats.max()), abs=1e-5)


def test_a_single_blank_from_both_sides_is_the_softmax_there() -> None:
    tokens = tokens_of()
    lm = both_sides(tokens)
    nats = lm.predict(ids_of(tokens, "abcd"))[2, 2:]  # without <EOS> and <UNK>
    found = fill.fill(lm, tokens, "ab_d", top_k=7)
    expected = np.exp(nats) / np.exp(nats).sum()
    assert found[0].tokens == (LETTERS[int(expected.argmax())],)
    assert sum(one.probability for one in found) == pytest.approx(1, abs=1e-6)
    for one in found:
        place = LETTERS.index(one.tokens[0])
        assert one.probability == pytest.approx(float(expected[place]), abs=1e-5)


def test_blanks_from_both_sides_are_searched_for_together() -> None:
    tokens = tokens_of()
    lm = both_sides(tokens)
    best, best_line = -np.inf, ""
    for x, y in product(LETTERS, repeat=2):
        nats = lm.logprobs([ids_of(tokens, f"a{x}{y}d")])[0]
        if nats.sum() > best:
            best, best_line = float(nats.sum()), f"a{x}{y}d"
    found = fill.fill(lm, tokens, "a__d")
    assert found[0].text == best_line
    assert found[0].logprob == pytest.approx(best, abs=1e-4)


@pytest.mark.parametrize("split", ["whitespace", "unicode"])
def test_words_and_parts_of_words(split: str) -> None:
    text = "the cat was full . the cart was empty . cats , 我的手机坏了"
    tokens = tokens_of("word", text, split=split)
    for lm in (one_direction(tokens), both_sides(tokens)):
        found = fill.fill(lm, tokens, "the  c_t was ____ .", top_k=50)
        assert {one.tokens[0] for one in found} == {"cat", "cart"}
        for one in found:
            assert one.text == f"the  {one.tokens[0]} was {one.tokens[1]} ."
            assert not set(one.tokens) & {"<UNK>", "</s>"}
        with pytest.raises(CharlmError, match="no word in the vocabulary fits qu_"):
            fill.fill(lm, tokens, "the qu_ was")


def test_a_run_between_chinese_characters_is_one_of_them() -> None:
    tokens = tokens_of("word", "我的手机坏了", split="unicode")
    found = fill.fill(one_direction(tokens), tokens, "我的____坏", top_k=3)
    assert all(len(one.tokens) == 1 and one.text == f"我的{one.tokens[0]}坏" for one in found)


@pytest.mark.parametrize(
    ("level", "text", "words"),
    [
        ("char", "abc", "no blank"),
        ("char", "a_\nb", "several lines"),
        ("byte", "a_", "tokens are bytes"),
    ],
)
def test_what_cannot_be_filled(level: str, text: str, words: str) -> None:
    tokens = tokens_of(level)
    with pytest.raises(CharlmError, match=words):
        fill.fill(one_direction(tokens), tokens, text)


def test_both_sides_cannot_forget_the_right() -> None:
    tokens = tokens_of()
    with pytest.raises(CharlmError, match="always uses what follows"):
        fill.fill(both_sides(tokens), tokens, "a_", left_only=True)
