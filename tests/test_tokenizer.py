"""Tokenizers: round trips, laws, vocabularies, and how words are put back into a line."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from charlm.config import TokenizerConfig
from charlm.errors import CharlmError
from charlm.subword import SAMPLE_CHARS, SubwordTokenizer, common_runs, sentences, thin_out
from charlm.text import WORD_LIMIT, utf8
from charlm.tokenizer import (
    ByteTokenizer,
    CharTokenizer,
    Tokenizer,
    build,
    encode_chunks,
    from_dict,
)
from charlm.wordtokens import WordTokenizer, join_words, split_word, words_of

STORY = (
    "The cat, which already ate fish, was full.\n"
    "The cats, which already ate fish, weren't full.\n"
    "\n"
    "A cat sleeps 15 hours a day; don't wake it!\n"
) * 20
CHINESE = "我昨天上学迟到了，老师批评了我。\n我的手机坏了，我打算买一部新手机。\n"
anything = st.text(st.characters(exclude_categories=()), max_size=40)
savage = st.text(
    st.sampled_from(list("ab T \n\r\t\0é中▁😀<0x>\x0b\x1c\x85\u2028\u00a0")), max_size=30
)
from_file = st.binary(max_size=40).map(lambda data: data.decode("utf-8", "surrogateescape"))
LEVELS: dict[str, TokenizerConfig] = {
    "char": TokenizerConfig(),
    "byte": TokenizerConfig("byte"),
    "word": TokenizerConfig("word"),
    "word lower": TokenizerConfig("word", lower=True, min_count=21),
    "word unicode": TokenizerConfig("word", split="unicode"),
    "subword unigram": TokenizerConfig("subword", vocab_size=320),
    "subword bpe": TokenizerConfig("subword", vocab_size=320, algorithm="bpe"),
}
TOKENIZERS = {name: build(config, [STORY, CHINESE]) for name, config in LEVELS.items()}
each = pytest.mark.parametrize("name", LEVELS)


def ids_of(tokenizer: Tokenizer, text: str) -> list[int]:
    return [int(i) for i in tokenizer.encode(text)]


# ── laws of every tokenizer ──────────────────────────────────────────────────────────────────


@each
@settings(deadline=None)
@given(text=anything | savage | from_file)
def test_any_text_is_encoded_and_decoded_without_a_crash(name: str, text: str) -> None:
    tokenizer = TOKENIZERS[name]
    ids = tokenizer.encode(text)
    assert ids.ndim == 1
    assert ids.dtype.kind == "u"
    assert ids.size == 0 or int(ids.max()) < tokenizer.vocab_size
    assert tokenizer.decode(ids).count("\n") == text.count("\n")
    assert int((ids == tokenizer.eos).sum()) == text.count("\n")
    assert tokenizer.decode(ids.tolist()) == tokenizer.decode(ids)


@each
@settings(deadline=None)
@given(one=anything | savage, other=anything | savage)
def test_lines_are_encoded_apart(name: str, one: str, other: str) -> None:
    tokenizer = TOKENIZERS[name]
    apart = [*ids_of(tokenizer, one), tokenizer.eos, *ids_of(tokenizer, other)]
    assert ids_of(tokenizer, one + "\n" + other) == apart


@each
@settings(deadline=None)
@given(text=savage | st.just(STORY[:200] + CHINESE), size=st.integers(1, 50))
def test_chunk_boundaries_do_not_matter(name: str, text: str, size: int) -> None:
    tokenizer = TOKENIZERS[name]
    chunks = [text[i : i + size] for i in range(0, len(text), size)]
    ids = [int(i) for part in encode_chunks(tokenizer, chunks) for i in part]
    assert ids == ids_of(tokenizer, text)


@each
@pytest.mark.parametrize("size", [1, 7, 100])
def test_chunk_boundaries_do_not_change_the_vocabulary(name: str, size: int) -> None:
    text = STORY + CHINESE
    chunks = [text[i : i + size] for i in range(0, len(text), size)]
    assert build(LEVELS[name], chunks).as_dict() == TOKENIZERS[name].as_dict()


@each
def test_stored_as_json_and_back(name: str) -> None:
    tokenizer = TOKENIZERS[name]
    data = json.loads(json.dumps(tokenizer.as_dict()))
    again = from_dict(data)
    assert again.as_dict() == data
    assert type(again) is type(tokenizer)
    for attribute in ("level", "vocab_size", "eos", "unk", "lossless"):
        assert getattr(again, attribute) == getattr(tokenizer, attribute)
    text = STORY[:150] + "x中😀\udce4"
    assert ids_of(again, text) == ids_of(tokenizer, text)
    assert (again.starts_word() == tokenizer.starts_word()).all()


@each
def test_names_and_word_starts(name: str) -> None:
    tokenizer = TOKENIZERS[name]
    names = [tokenizer.token(i) for i in range(tokenizer.vocab_size)]
    assert names[tokenizer.eos] == "</s>"
    assert tokenizer.unk is None or names[tokenizer.unk] == "<UNK>"
    assert all(names)
    starts = tokenizer.starts_word()
    assert starts.shape == (tokenizer.vocab_size,)
    assert starts.dtype == np.bool_
    assert starts[tokenizer.eos]
    # a line of k words separated by single spaces has k - 1 or (with the first) k starts
    line = tokenizer.encode("A cat sleeps 15 hours a day")
    assert int(starts[line].sum()) == (6 if tokenizer.level in ("char", "byte") else 7)


@each
def test_nothing_comes_from_nothing(name: str) -> None:
    tokenizer = TOKENIZERS[name]
    assert ids_of(tokenizer, "") == []
    assert tokenizer.decode([]) == tokenizer.decode(np.array([], np.int64)) == ""
    assert ids_of(tokenizer, "\n\n") == [tokenizer.eos] * 2


@given(text=anything | savage)
def test_char_is_lossless_where_it_knows_the_characters(text: str) -> None:
    tokenizer = build(TokenizerConfig(), [text])
    assert tokenizer.lossless
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert len(tokenizer.encode(text)) == len(text)


@given(text=from_file | savage)
def test_byte_is_lossless_for_whatever_a_file_holds(text: str) -> None:
    tokenizer = ByteTokenizer()
    assert tokenizer.lossless
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert len(tokenizer.encode(text)) == len(utf8(text))


@pytest.mark.parametrize("name", ["subword unigram", "subword bpe"])
@settings(deadline=None)
@given(text=from_file | savage | st.text(max_size=40))
@example("  two  spaces \n  indented\n \n")
@example("<unk><s></s><0x41>▁▁x")
@example("x" * 2500 + "中" * 1200)
def test_subword_is_lossless_and_nothing_is_unknown(name: str, text: str) -> None:
    tokenizer = TOKENIZERS[name]
    ids = tokenizer.encode(text)
    assert tokenizer.lossless
    assert tokenizer.decode(ids) == text
    assert tokenizer.unk not in ids


# ── characters and bytes ─────────────────────────────────────────────────────────────────────


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


def test_bytes() -> None:
    tokenizer = ByteTokenizer()
    assert ids_of(tokenizer, "a\né\udcff") == [97, 256, 0xC3, 0xA9, 0xFF]
    assert tokenizer.decode([97, 10, 256, 0xC3]) == "a\n\n\udcc3"
    assert [tokenizer.token(i) for i in (97, 228, 256)] == ["a", "0xE4", "</s>"]
    assert tokenizer.vocab_size == 257
    assert tokenizer.unk is None


# ── words ────────────────────────────────────────────────────────────────────────────────────


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
    monkeypatch.setattr("charlm.wordtokens.KINDS_LIMIT", 100)
    monkeypatch.setattr("charlm.wordtokens.TALLY_CHARS", 50)
    chunks = [f"the cat{i % 3} rare{i}\n" for i in range(1000)]
    tokenizer = WordTokenizer.train(chunks)
    assert words(tokenizer)[2:6] == ["the", "cat0", "cat1", "cat2"]
    assert tokenizer.vocab_size < 120


def test_a_word_beyond_all_bounds_is_cut() -> None:
    chunks = ["x" * 1_000_000] * 3
    tokenizer = build(TokenizerConfig("word"), chunks)
    assert words(tokenizer)[2] == "x" * WORD_LIMIT
    assert sum(map(len, encode_chunks(tokenizer, chunks))) == -(-3_000_000 // WORD_LIMIT)


# ── subwords ─────────────────────────────────────────────────────────────────────────────────


def test_subword_names_and_layout() -> None:
    tokenizer = TOKENIZERS["subword bpe"]
    assert (tokenizer.eos, tokenizer.unk) == (0, 1)
    assert [tokenizer.token(i) for i in range(2, 258)] == [f"0x{b:02X}" for b in range(256)]
    pieces = [tokenizer.token(int(i)) for i in tokenizer.encode("The cat")]
    assert "".join(pieces) == "▁The▁cat"
    assert pieces[0].startswith("▁")


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
    assert list(common_runs(["aab▁bca", " ca a"], 4)) == [" aab", "bca", " ca a"]
    assert list(common_runs(["a" * 5000 + "b" + "a" * 5000 + "c"], 9)) == [
        " " + "a" * 5000,
        "a" * 5000,
    ]
    assert list(common_runs(["aab▁bca"], 1)) == [" aa", "a"]


@given(st.lists(st.integers(1, 50)), st.integers(1, 300))
def test_thin_out_is_even_and_bounded(sizes: list[int], budget: int) -> None:
    lines = [f"{i}".ljust(size) for i, size in enumerate(sizes)]
    kept = thin_out(lines, budget)
    assert sum(map(len, kept)) <= budget or len(kept) == 1
    assert any(kept == lines[:: 1 << k] for k in range(12))
    assert kept == lines or sum(map(len, lines)) > budget


def test_sample_is_large_enough_for_a_real_corpus() -> None:
    assert SAMPLE_CHARS >= 4_000_000


# ── errors ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (TokenizerConfig("byte", vocab_size=300), "--vocab-size means nothing at level byte"),
        (TokenizerConfig("subword", min_count=2), "--min-count means nothing at level subword"),
        (TokenizerConfig("char", lower=True), "--lower means nothing at level char"),
        (TokenizerConfig("char", vocab_size=2), "vocab-size must be at least 3"),
        (TokenizerConfig("word", vocab_size=1), "vocab-size must be at least 3"),
        (TokenizerConfig("subword", vocab_size=200), "subwords need at least 300"),
    ],
)
def test_settings_that_make_no_sense(config: TokenizerConfig, message: str) -> None:
    with pytest.raises(CharlmError, match=message):
        build(config, ["some text\n"])


def test_subword_of_nothing() -> None:
    with pytest.raises(CharlmError, match="SentencePiece could not find subwords"):
        build(TokenizerConfig("subword"), ["\n\n"])


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"level": "char"},
        {"level": "char", "codepoints": "abc"},
        {"level": "char", "codepoints": [97, "b"]},
        {"level": "char", "codepoints": [97, 97]},
        {"level": "char", "codepoints": [10]},
        {"level": "char", "codepoints": [-5]},
        {"level": "char", "codepoints": [0x110000]},
        {"level": "char", "codepoints": [1 << 80]},
        {"level": "word", "words": ["a"]},
        {"level": "word", "words": ["a", "a"], "split": "whitespace", "lower": False},
        {"level": "word", "words": ["a", ""], "split": "whitespace", "lower": False},
        {"level": "word", "words": ["a", 1], "split": "whitespace", "lower": False},
        {"level": "word", "words": ["a"], "split": "other", "lower": False},
        {"level": "word", "words": ["a"], "split": "unicode", "lower": 1},
        {"level": "subword"},
        {"level": "subword", "model": "%%%"},
        {"level": "subword", "model": "AAAA"},
        {"level": "subword", "model": ""},
        {"level": "subword", "model": 5},
        {"level": "sentence"},
        {"level": None},
        {"level": []},
    ],
)
def test_damaged_descriptions(data: dict[str, Any]) -> None:
    with pytest.raises(CharlmError):
        from_dict(data)


def test_types_fit_the_protocol() -> None:
    some: list[Tokenizer] = [CharTokenizer([97]), ByteTokenizer(), WordTokenizer(["a"])]
    subword = TOKENIZERS["subword bpe"]
    assert isinstance(subword, SubwordTokenizer)
    some.append(subword)
    assert [one.level for one in some] == ["char", "byte", "word", "subword"]
    assert unicodedata.category("\u0301") == "Mn"
