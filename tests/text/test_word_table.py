"""Looking up all the words of a text at once gives what looking them up one by one gives."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.text import word_memo, word_table
from charlm.text.word_counts import words_of
from charlm.text.word_memo import WordMemo
from charlm.text.word_table import PACKED_BYTES, WordTable, can_be_packed, pack
from charlm.text.word_tokenizer import WordTokenizer

any_text = st.text(st.characters(exclude_characters="\0", exclude_categories=()), max_size=60)
spaced = st.text(
    st.sampled_from(list("abé中 \n\t\r\x0b\x0c\x1c\x1f\x85\xa0\u2003\u2028\u3000\udc80😀-\x1b!")),
    max_size=200,
)


def names(text: str) -> list[str]:
    words = pack(text)
    return [words.encoded(k).decode("utf-8", "surrogatepass") for k in range(len(words.starts))]


@given(st.one_of(any_text, spaced))
def test_the_words_are_those_of_str_split(text: str) -> None:
    assert names(text) == words_of(text)


def test_a_nul_cannot_be_packed() -> None:
    assert can_be_packed("a b")
    assert not can_be_packed("a\0 b")


@given(st.lists(spaced, max_size=4), spaced)
def test_every_word_has_the_number_it_was_given(known: list[str], asked: str) -> None:
    table = WordTable()
    for text in known:
        table.add(word.encode("utf-8", "surrogatepass") for word in words_of(text))
    order = list(dict.fromkeys(word for text in known for word in words_of(text)))
    assert table.words() == order
    numbers = {word: k for k, word in enumerate(order, 1)}
    for text in (asked, *known):
        expected = [numbers.get(word, 0) for word in words_of(text)]
        assert table.find(pack(text)).tolist() == expected


def test_many_words_of_all_lengths() -> None:
    rng = np.random.default_rng(1)
    words = [f"{k:x}" * int(rng.integers(1, 6)) for k in range(20_000)]
    words = list(dict.fromkeys(words))
    assert max(map(len, words)) > PACKED_BYTES
    table = WordTable(words[: len(words) // 2])
    numbers = table.find(pack(" ".join(words)))
    half = len(words) // 2
    assert numbers.tolist() == list(range(1, half + 1)) + [0] * (len(words) - half)


def test_words_with_the_same_beginning_are_told_apart() -> None:
    words = ["x" * n for n in range(1, 40)]
    table = WordTable(words[::2])
    expected = [k // 2 + 1 if k % 2 == 0 else 0 for k in range(len(words))]
    assert table.find(pack(" ".join(words))).tolist() == expected


@given(spaced)
def test_distinct_words_stand_for_all(text: str) -> None:
    words = pack(text)
    found, place = words.distinct(np.arange(len(words.starts)))
    assert [found[k].decode("utf-8", "surrogatepass") for k in place] == words_of(text)
    short = [word for word in found if len(word) <= PACKED_BYTES]
    assert len(set(short)) == len(short)


def test_a_word_of_16_bytes_is_not_taken_for_a_longer_one() -> None:
    letters = "responsibilities+,;:"
    names = [letters[:n] for n in (15, 16, 17, 18, 16, 20, 15, 16, 17)]
    words = pack(" ".join(names))
    found, place = words.distinct(np.arange(len(names)))
    assert [found[k].decode() for k in place] == names
    tokenizer = WordTokenizer.train([" ".join(names) + "\n"])
    assert {tokenizer.token(i) for i in range(2, tokenizer.vocab_size)} == set(names)


def test_threads_that_read_while_one_adds_find_no_wrong_numbers() -> None:
    memo = WordMemo(lambda word: [int(word, 36) if word != "\n" else 0], np.uint32)
    texts = [" ".join(np.base_repr(k * 7919 % 60_000, 36) for k in range(n, n + 3000)) + "\n"
             for n in range(0, 60_000, 1000)]  # fmt: skip
    with ThreadPoolExecutor(4) as pool:
        for text, ids in zip(texts, pool.map(memo.encode, texts), strict=True):
            assert ids.tolist() == [*(int(word, 36) for word in text.split()), 0]


def test_a_memo_gives_each_words_ids_and_forgets_when_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def segment(word: str) -> list[int]:
        asked.append(word)
        return [ord(c) for c in word]

    memo = WordMemo(segment, np.uint32)
    text = "ab c\nab ab\n"
    expected = [ord(c) for word in words_of(text) for c in word]
    assert memo.encode(text).tolist() == expected
    assert memo.encode(text).tolist() == expected
    assert sorted(asked) == ["\n", "ab", "c"]
    monkeypatch.setattr(word_memo, "MAX_WORDS", 2)  # it is full, but knows all of these
    assert memo.encode(text).tolist() == expected
    assert len(asked) == 3
    rarely = "c " * 20 + "new ab\n"
    for times in (1, 2):  # not remembered
        assert memo.encode(rarely).tolist() == [99] * 20 + [*map(ord, "newab"), 10]
        assert asked[3:] == ["new"] * times
    other = "x y z\n"  # of another kind: all is forgotten
    assert memo.encode(other).tolist() == [*map(ord, "xyz"), 10]
    del asked[:]
    assert memo.encode(text).tolist() == expected
    assert sorted(asked) == ["\n", "ab", "c"]
    assert memo.encode("").tolist() == []


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), unique=True))
def test_a_table_of_all_words_finds_what_one_they_are_added_to_does(words: list[str]) -> None:
    table = WordTable.of_all(words)
    within = [word for word in words if words_of(word) == [word] and "\0" not in word]
    if len(within) < len(words):
        assert table is None
        return
    assert table is not None
    text = pack(" ".join([*words, "other", *words]))
    assert table.find(text).tolist() == WordTable(words).find(text).tolist()


def test_a_table_of_many_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_table, "MANY_WORDS", 1000)
    words = [f"{'long' * (k % 7)}{k}" for k in range(10_000)]
    table = WordTable.of_all(words)
    assert table is not None
    assert table.find(pack(" ".join(words))).tolist() == list(range(1, 10_001))
