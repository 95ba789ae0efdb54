"""Words: how a line is split into them, which are kept, and how they are put back together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.config import TokenizerConfig
from charlm.errors import CharlmError
from charlm.text.pieces import WORD_LIMIT
from charlm.text.tokenizer import Tokenizer, build, encode_chunks, from_dict
from charlm.text.word_counts import words_of
from charlm.text.word_memo import MIN_CHARS
from charlm.text.word_tokenizer import WordTokenizer, join_words, split_word

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
    monkeypatch.setattr("charlm.text.word_counts.MAX_TYPES", 100)
    monkeypatch.setattr("charlm.text.word_counts.TABLE_TYPES", 10)
    monkeypatch.setattr("charlm.text.pieces.JOINED_CHARS", 50)
    chunks = [f"the cat{i % 3} rare{i}\n" for i in range(1000)]
    tokenizer = WordTokenizer.train(chunks)
    assert words(tokenizer)[2:6] == ["the", "cat0", "cat1", "cat2"]
    assert tokenizer.vocab_size < 120


def test_a_word_beyond_all_bounds_is_cut() -> None:
    chunks = ["x" * 1_000_000] * 3
    tokenizer = build(TokenizerConfig("word"), chunks)
    assert words(tokenizer)[2] == "x" * WORD_LIMIT
    assert sum(map(len, encode_chunks(tokenizer, chunks))) == -(-3_000_000 // WORD_LIMIT)


@pytest.mark.parametrize("split", ["whitespace", "unicode"])
@pytest.mark.parametrize("lower", [False, True])
def test_long_texts_are_encoded_as_short_ones_are(split: str, lower: bool) -> None:
    """The two ways of `encode`, for long texts and for short ones, over many kinds of words."""
    rng = np.random.default_rng(0)
    pieces = [*STORY.split(" "), *CHINESE, "\n", "don't", "U.S.", "é" * 20, "x\u3000y", "\x1c"]
    lines = [" ".join(rng.choice(pieces, 12)) for _ in range(2000)]
    text = "\n".join(lines)
    assert len(text) > 4 * MIN_CHARS
    tokenizer = build(TokenizerConfig("word", split=split, lower=lower, min_count=3), lines[:500])
    one_by_one = [i for line in lines for i in [*ids_of(tokenizer, line), tokenizer.eos]][:-1]
    assert ids_of(tokenizer, text) == one_by_one
    with_nul = ids_of(tokenizer, text + " \0")  # word by word again
    assert with_nul[: len(one_by_one)] == one_by_one


def test_a_vocabulary_is_the_same_however_the_text_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    chunks = [" ".join(f"w{k}" for k in rng.zipf(1.5, 50) % 999) + "\n" for _ in range(400)]
    chunks[7] = "with a NUL\0 in it\n"
    counts = Counter(word for chunk in chunks for word in words_of(chunk))
    del counts["\n"]
    expected = sorted(counts, key=lambda word: (-counts[word], word))
    assert words(WordTokenizer.train(chunks))[2:] == expected
    monkeypatch.setattr("charlm.text.pieces.JOINED_CHARS", 2000)
    assert words(WordTokenizer.train(chunks))[2:] == expected
    for types in (200, 50, 5):  # blocks are waiting when a table is full
        monkeypatch.setattr("charlm.text.word_counts.TABLE_TYPES", types)
        assert words(WordTokenizer.train(chunks))[2:] == expected


# ── texts that have a word for unknown ones ──────────────────────────────────────────────────


@pytest.mark.parametrize("split", ["whitespace", "unicode"])
def test_the_word_for_unknown_words_is_unk(split: str) -> None:
    text = "the <unk> sat\nthe cat <unk> <unk>\n"
    tokenizer = build(TokenizerConfig("word", split=split), [text])
    assert isinstance(tokenizer, WordTokenizer)
    assert tokenizer.as_dict()["words"] == ["the", "cat", "sat"]
    assert tokenizer.encode("the <unk> dog\n").tolist() == [2, 1, 1, 0]
    assert tokenizer.unknown("the <unk> dog") == ["dog"]  # <unk> has no spelling
    again = from_dict(tokenizer.as_dict())
    assert again.encode(text * 2000).tolist() == tokenizer.encode(text).tolist() * 2000
    assert tokenizer.decode([2, 1, 4]) == "the <UNK> sat"


def test_another_word_for_unknown_words_or_none() -> None:
    text = "a UNK b <unk>\n"
    words = [
        build(TokenizerConfig("word", unk_token=token, lower=lower), [text]).as_dict()["words"]
        for token, lower in (("UNK", False), ("none", False), ("UNK", True), ("@", False))
    ]
    both = ["<unk>", "UNK", "a", "b"]
    assert words == [["<unk>", "a", "b"], both, ["<unk>", "a", "b"], both]
    plain = build(TokenizerConfig("word"), ["a b\n"])
    assert "unk_token" not in plain.as_dict()
    assert plain.unknown("<unk> a") == ["<unk>"]


def test_it_stays_what_it_was_in_an_extended_vocabulary() -> None:
    marked = build(TokenizerConfig("word"), ["a <unk>\n"])
    plain = build(TokenizerConfig("word", unk_token="none"), ["a <unk>\n"])
    more = marked.extended(TokenizerConfig("word"), ["b <unk>\n"])
    assert more.as_dict()["words"] == ["a", "b"]
    assert more.encode("<unk>").tolist() == [1]
    more = plain.extended(TokenizerConfig("word"), ["b <unk>\n"])
    assert more.as_dict()["words"] == ["<unk>", "a", "b"]
    assert more.encode("<unk>").tolist() == [2]


@pytest.mark.parametrize("token", ["a b", 3, "a"])
def test_damaged_words_for_unknown_words(token: object) -> None:
    with pytest.raises(CharlmError, match="damaged"):
        from_dict({**build(TokenizerConfig("word"), ["a b\n"]).as_dict(), "unk_token": token})


def test_settings_of_old_runs_have_none() -> None:
    old = {k: v for k, v in TokenizerConfig("word").as_dict().items() if k != "unk_token"}
    assert TokenizerConfig.from_dict(old).unk_token == "none"
    assert TokenizerConfig.from_dict(TokenizerConfig("word").as_dict()).unk_token == "<unk>"


@pytest.mark.parametrize("lower", [False, True])
def test_much_text_is_looked_up_in_a_table_of_the_whole_vocabulary(lower: bool) -> None:
    rng = np.random.default_rng(0)
    kinds = [*STORY.split(" "), "é" * 20, "\n", "Other", "UNK", "\n\n"]
    text = " ".join(rng.choice(kinds, 20_000))
    config = TokenizerConfig("word", min_count=2, lower=lower, unk_token="UNK")
    tokenizer = build(config, [STORY, text[:3000]])
    assert isinstance(tokenizer, WordTokenizer)
    expected = [i for line in text.split("\n") for i in [*tokenizer.ids_of_line(line), 0]][:-1]
    tokenizer._until_table = len(text)
    for _ in range(3):
        assert ids_of(tokenizer, text) == expected
    assert tokenizer._table is not None
    assert tokenizer.encode(text).dtype == np.uint8
    spaced = WordTokenizer(["a b", "c"])  # no words of a text: there is no table of them
    for _ in range(3):
        assert ids_of(spaced, "c b\n" * 4000) == [3, 1, 0] * 4000
    assert spaced._table is None
