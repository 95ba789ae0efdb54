"""Cutting text at words, and the other small parts that tokenizers share."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from charlm.text.pieces import (
    MEMO_CHARS,
    MEMO_WORDS,
    WORD_LIMIT,
    Memo,
    smallest_unsigned,
    utf8,
    whole_words,
)

texts = st.text(st.sampled_from(list("ab \n\r\té中😀\x0b\x0c\x1c\x85\u2028\ufeff")), max_size=60)


@given(text=texts, size=st.integers(1, 20), limit=st.integers(3, 30))
def test_whole_words_keeps_the_text(text: str, size: int, limit: int) -> None:
    chunks = [text[i : i + size] for i in range(0, len(text), size)]
    pieces = list(whole_words(chunks, limit))
    assert "".join("".join(pieces).split(" ")) == "".join(text.split(" "))
    assert all(len(piece) <= limit + size or piece.endswith("\n") for piece in pieces)
    if max(map(len, text.split("\n"))) <= limit:
        assert "".join(pieces) == text


def test_whole_words_cuts_long_lines_at_a_space_and_holds_little() -> None:
    line = "word " * WORD_LIMIT
    pieces = list(whole_words([line, "end\n"]))
    assert " ".join(pieces) == line + "end\n"
    assert max(map(len, pieces)) <= WORD_LIMIT + 4
    assert list(map(len, whole_words(["x" * (2 * WORD_LIMIT + 5)]))) == [WORD_LIMIT, WORD_LIMIT, 5]


def test_utf8_of_lone_surrogates() -> None:
    assert utf8("aé\udce4") == b"a\xc3\xa9\xe4"
    assert utf8("\ud800\udfff\udc80") == "\ufffd\ufffd".encode() + b"\x80"


def test_smallest_unsigned() -> None:
    kinds = [1, 256, 257, 65536, 65537]
    assert list(map(smallest_unsigned, kinds)) == [
        np.uint8,
        np.uint8,
        np.uint16,
        np.uint16,
        np.uint32,
    ]


def test_memo_asks_once_and_stays_bounded() -> None:
    asked: list[str] = []
    memo = Memo(lambda word: (asked.append(word), len(word))[1:])  # type: ignore[func-returns-value]
    assert [memo["abc"], memo["abc"]] == [(3,), (3,)]
    assert asked == ["abc"]
    long = "x" * (MEMO_CHARS + 1)
    assert memo[long] == (MEMO_CHARS + 1,)
    assert long not in memo
    for i in range(MEMO_WORDS + 10):
        memo[str(i)]
    assert len(memo) <= MEMO_WORDS
