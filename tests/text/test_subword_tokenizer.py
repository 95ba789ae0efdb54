"""Subwords: layout of the vocabulary, what SentencePiece is given to train on, silence."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.config import TokenizerConfig
from charlm.errors import CharlmError
from charlm.text.subword_tokenizer import (
    SAMPLE_CHARS,
    SubwordTokenizer,
    sentences,
    split_at_rare,
    subsample,
)
from charlm.text.tokenizer import Tokenizer, build

STORY = "The cat, which already ate fish, was full.\nA cat sleeps 15 hours a day.\n" * 20
TOKENIZERS = {
    f"subword {name}": build(TokenizerConfig("subword", 320, algorithm=name), [STORY])
    for name in ("unigram", "bpe")
}


def ids_of(tokenizer: Tokenizer, text: str) -> list[int]:
    return [int(i) for i in tokenizer.encode(text)]


def test_subword_names_and_layout() -> None:
    tokenizer = TOKENIZERS["subword bpe"]
    assert (tokenizer.eos, tokenizer.unk) == (0, 1)
    assert [tokenizer.token(i) for i in range(2, 258)] == [f"0x{b:02X}" for b in range(256)]
    pieces = [tokenizer.token(int(i)) for i in tokenizer.encode("The cat")]
    assert "".join(pieces) == "▁The▁cat"
    assert pieces[0].startswith("▁")


@pytest.mark.parametrize("algorithm", ["unigram", "bpe"])
def test_what_another_program_needs_to_find_pieces(algorithm: str) -> None:
    tokenizer = TOKENIZERS[f"subword {algorithm}"]
    assert isinstance(tokenizer, SubwordTokenizer)
    assert tokenizer.is_bpe == (algorithm == "bpe")
    special, scores = tokenizer.scores()[:258], tokenizer.scores()[258:]
    assert all(map(math.isnan, special))
    assert all(score <= 0 for score in scores)
    in_order_of_merging = [-score for score in scores] == list(range(len(scores)))
    assert in_order_of_merging == tokenizer.is_bpe


def test_subword_pieces_belong_to_words() -> None:
    tokenizer = TOKENIZERS["subword unigram"]
    cat = ids_of(tokenizer, "cat")
    assert ids_of(tokenizer, "cat cat\ncat") == [*cat, *cat, 0, *cat]


def test_subword_vocabulary_shrinks_with_the_text_and_is_silent(
    capfd: pytest.CaptureFixture[str],
) -> None:
    for algorithm in ("unigram", "bpe"):
        config = TokenizerConfig("subword", algorithm=algorithm)
        tokenizer = build(config, ["a small text\n"])
        assert 258 < tokenizer.vocab_size < 4000
        assert build(config, ["a small text\n"]).as_dict() == tokenizer.as_dict()
    printed = capfd.readouterr()
    assert printed.out == printed.err == ""


def test_subword_of_more_characters_than_pieces() -> None:
    kinds = [chr(c) for c in range(0x4E00, 0x4E00 + 1500)]
    text = "".join("".join(kinds[i::k]) + "\n" for k in (1, 2, 3) for i in range(k))
    tokenizer = build(TokenizerConfig("subword", vocab_size=600), [text])
    assert tokenizer.vocab_size <= 600
    assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.parametrize("word", ["novel ", "小说"])
def test_subword_of_one_long_line(word: str) -> None:
    text = word * 30_000
    for algorithm in ("unigram", "bpe"):
        tokenizer = build(TokenizerConfig("subword", algorithm=algorithm), [text])
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_sentences_for_training_are_short_and_complete() -> None:
    text = "one two " * 1000 + "\n\n" + "x" * 2500 + "\n短"
    found = list(sentences([text]))
    assert "".join(found) == text.replace("\n", "")
    assert max(map(len, found)) <= 1000
    assert all(len(line.encode()) <= 4000 for line in found)
    assert all(line.startswith(" ") or line.endswith(("two", "x", "短")) for line in found)


def test_rare_characters_are_spelled_in_bytes() -> None:
    assert list(split_at_rare(["aab▁bca", " ca a"], 4)) == [" aab", "bca", " ca a"]
    assert list(split_at_rare(["a" * 5000 + "b" + "a" * 5000 + "c"], 9)) == [
        " " + "a" * 5000,
        "a" * 5000,
    ]
    assert list(split_at_rare(["aab▁bca"], 1)) == [" aa", "a"]


@given(st.lists(st.integers(1, 50)), st.integers(1, 300))
def test_thin_out_is_even_and_bounded(sizes: list[int], budget: int) -> None:
    lines = [f"{i}".ljust(size) for i, size in enumerate(sizes)]
    kept = subsample(lines, budget)
    assert sum(map(len, kept)) <= budget or len(kept) == 1
    assert any(kept == lines[:: 1 << k] for k in range(12))
    assert kept == lines or sum(map(len, lines)) > budget


def test_sample_is_large_enough_for_a_real_corpus() -> None:
    assert SAMPLE_CHARS >= 4_000_000


def test_subword_of_nothing() -> None:
    with pytest.raises(CharlmError, match="SentencePiece could not find subwords"):
        build(TokenizerConfig("subword"), ["\n\n"])
