"""Words: how a line is split into them, which are kept, and how they are put back together."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.config import TokenizerConfig
from charlm.text.pieces import WORD_LIMIT
from charlm.text.tokenizer import Tokenizer, build, encode_chunks
from charlm.text.word_tokenizer import WordTokenizer, join_words, split_word, words_of

anything = st.text(st.characters(exclude_categories=()), max_size=40)
savage = st.text(
    st.sampled_from(list("ab 'T-.\n\r\t\0é中▁😀\u0301\x0b\x1c\x85\u2028\u00a0")), max_size=30
)
STORY = "The cats, which already ate fish, weren't full.\n\nDon't wake it!\n"
CHINESE = "我昨天上学迟到了，老师批评了我。\n我的手机坏了，我打算买一部新手机。\n"


def ids_of(tokenizer: Tokenizer, text: str) -> list[int]:
    return [int(i) for i in tokenizer.encode(text)]


def words(tokenizer: Tokenizer) -> list[str]:
    return [tokenizer.token(i) for i in range(tokenizer.vocab_size)]


def test_word_ids_go_by_frequency_then_alphabet() -> None:
    tokenizer = build(TokenizerConfig("word"), ["b a b\nC a\u3000é\tb"])
    assert words(tokenizer) == ["</s>", "<UNK>", "b", "a", "C", "é"]
    assert ids_of(tokenizer, "a\nnew b") == [3, 0, 1, 2]
    assert tokenizer.decode([3, 0, 1, 2]) == "a\n<UNK> b"


def test_word_vocabulary_is_cut_and_folded() -> None:
    text = "the The THE cat cat dog"
    assert words(build(TokenizerConfig("word", lower=True), [text]))[2:] == ["the", "cat", "dog"]
    assert words(build(TokenizerConfig("word", min_count=2), [text]))[2:] == ["cat"]
    cut = build(TokenizerConfig("word", lower=True, vocab_size=4), [text])
    assert words(cut) == ["</s>", "<UNK>", "the", "cat"]
    assert ids_of(cut, "THE dog") == [2, 1]


def test_literal_names_of_specials_are_ordinary_words() -> None:
    tokenizer = build(TokenizerConfig("word"), ["<UNK> </s>"])
    assert ids_of(tokenizer, "</s> <UNK> other") == [2, 3, 1]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Hello, world!", "Hello , world !"),
        ("don't it’s o'clock rock'n'roll", "don't it’s o'clock rock'n'roll"),
        ("'tis the dogs' n't 's", "'tis the dogs ' n't 's"),
        ("well-known U.S.A. e.g. AT&T", "well-known U.S.A. e.g. AT&T"),
        ("3.14 1,000,000 10:30 2/3.", "3.14 1,000,000 10:30 2/3 ."),
        ("wait... what--no?!", "wait ... what -- no ? !"),
        ("``Well,'' (he) [said]", "`` Well , '' ( he ) [ said ]"),
        ("我用Python写，好吗？", "我 用 Python 写 ， 好 吗 ？"),
        ("ひらカタ한국어", "ひ ら カ タ 한국어"),
        ("नमस्ते दुनिया।", "नमस्ते दुनिया ।"),
        ("cafe\u0301 na\u00efve", "cafe\u0301 na\u00efve"),
        ("snake_case $5.00 50%", "snake_case $ 5.00 50 %"),
        ("👍🏽👩\u200d🚀", "👍 🏽 👩\u200d 🚀"),
    ],
)
def test_unicode_split(text: str, parts: str) -> None:
    found = [part for word in text.split() for part in split_word(word)]
    assert found == parts.split()


@given(text=anything | savage)
def test_splitting_only_drops_white_space(text: str) -> None:
    found = [part for word in words_of(text) for part in split_word(word)]
    assert "".join(found).replace("\n", "") == "".join(text.split())
    assert all(found)


@pytest.mark.parametrize(
    "line",
    [
        "`` Well '' , he said ; `` no . ''",
        "She said : `` it 's ( almost ) done ! ''",
        "I do n't think it ’s 50 % of $ 5",
        'He said " yes " and " no " .',
        "the dogs ' bowls , ' he said '",
        "Mr. Smith lives in the U.S. .",
        "and / or",
        "“ quoted ” [ text ] { here } …",
        "我 昨天 上学 迟到 了 ， 老师 批评 了 我 。",
        "2018 年 用 Python 写",
    ],
)
def test_join_words_reads_naturally(line: str) -> None:
    natural = {
        "`` Well '' , he said ; `` no . ''": "``Well'', he said; ``no.''",
        "She said : `` it 's ( almost ) done ! ''": "She said: ``it's (almost) done!''",
        "I do n't think it ’s 50 % of $ 5": "I don't think it’s 50% of $5",
        'He said " yes " and " no " .': 'He said "yes" and "no".',
        "the dogs ' bowls , ' he said '": "the dogs' bowls, 'he said'",
        "Mr. Smith lives in the U.S. .": "Mr. Smith lives in the U.S.",
        "and / or": "and/or",
        "“ quoted ” [ text ] { here } …": "“quoted” [text] {here}…",
        "我 昨天 上学 迟到 了 ， 老师 批评 了 我 。": "我昨天上学迟到了，老师批评了我。",
        "2018 年 用 Python 写": "2018年用Python写",
    }
    assert join_words(line.split()) == natural[line]


@pytest.mark.parametrize("text", [STORY, CHINESE, 'The "new" well-known U.S. law (1,000 pages).\n'])
def test_ordinary_text_survives_the_unicode_split(text: str) -> None:
    tokenizer = build(TokenizerConfig("word", split="unicode"), [text])
    assert tokenizer.decode(tokenizer.encode(text)) == text


MARKS = ["a", "'", "''", "``", '"', ".", ",", "U.S.", "(", ")", "'s", "中", "，", "/", "$", "-"]


@given(st.lists(st.sampled_from(MARKS)))
def test_more_words_only_add_to_a_line(line: Sequence[str]) -> None:
    for n in range(len(line)):
        assert join_words(line).startswith(join_words(line[:n]))


def test_rare_words_are_forgotten_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("charlm.text.word_tokenizer.MAX_COUNTED_TYPES", 100)
    monkeypatch.setattr("charlm.text.word_tokenizer.TALLY_CHARS", 50)
    chunks = [f"the cat{i % 3} rare{i}\n" for i in range(1000)]
    tokenizer = WordTokenizer.train(chunks)
    assert words(tokenizer)[2:6] == ["the", "cat0", "cat1", "cat2"]
    assert tokenizer.vocab_size < 120


def test_a_word_beyond_all_bounds_is_cut() -> None:
    chunks = ["x" * 1_000_000] * 3
    tokenizer = build(TokenizerConfig("word"), chunks)
    assert words(tokenizer)[2] == "x" * WORD_LIMIT
    assert sum(map(len, encode_chunks(tokenizer, chunks))) == -(-3_000_000 // WORD_LIMIT)
