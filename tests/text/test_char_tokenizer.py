"""Characters: which are kept, in which order, and that nothing is lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.config import TokenizerConfig
from charlm.text.tokenizer import Tokenizer, build

anything = st.text(st.characters(exclude_categories=()), max_size=40)
savage = st.text(
    st.sampled_from(list("ab T \n\r\t\0é中▁😀<0x>\x0b\x1c\x85\u2028\u00a0")), max_size=30
)


def ids_of(tokenizer: Tokenizer, text: str) -> list[int]:
    return [int(i) for i in tokenizer.encode(text)]


@given(text=anything | savage)
def test_char_is_lossless_where_it_knows_the_characters(text: str) -> None:
    tokenizer = build(TokenizerConfig(), [text])
    assert tokenizer.lossless
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert len(tokenizer.encode(text)) == len(text)


def test_char_ids_go_by_frequency_then_code_point() -> None:
    tokenizer = build(TokenizerConfig(), ["bbaacZ\n\n\n😀😀😀", "c中"])
    names = [tokenizer.token(i) for i in range(tokenizer.vocab_size)]
    assert names == ["</s>", "<UNK>", "😀", "a", "b", "c", "Z", "中"]
    assert ids_of(tokenizer, "a\n?😀") == [3, 0, 1, 2]
    assert tokenizer.decode([3, 0, 1, 2]) == "a\n<UNK>😀"


def test_only_the_newline_is_eos() -> None:
    separators = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\r"
    tokenizer = build(TokenizerConfig(), [separators + "\n"])
    assert tokenizer.vocab_size == len(separators) + 2
    assert tokenizer.eos not in tokenizer.encode(separators)


def test_char_vocabulary_is_cut() -> None:
    text = "aaaabbbccd"
    by_count = build(TokenizerConfig(min_count=3), [text])
    assert by_count.decode(by_count.encode("abcd\n")) == "ab<UNK><UNK>\n"
    by_size = build(TokenizerConfig(vocab_size=5), [text])
    assert by_size.vocab_size == 5
    assert by_size.decode(by_size.encode("abcd")) == "abc<UNK>"


@pytest.mark.parametrize(("kinds", "dtype"), [(254, np.uint8), (255, np.uint16)])
def test_ids_are_as_narrow_as_can_be(kinds: int, dtype: type[Any]) -> None:
    text = "".join(map(chr, range(0x4E00, 0x4E00 + kinds - 26))) + "abcdefghijklmnopqrstuvwxyz"
    tokenizer = build(TokenizerConfig(), [text])
    assert tokenizer.vocab_size == kinds + 2
    assert tokenizer.encode("abc").dtype == tokenizer.encode(text).dtype == dtype
    assert tokenizer.decode(tokenizer.encode(text)) == text
