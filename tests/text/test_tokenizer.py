"""Tokenizers of every level: the laws, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from charlm.config import LEVELS, TokenizerConfig
from charlm.errors import CharlmError
from charlm.text.byte_tokenizer import ByteTokenizer
from charlm.text.char_tokenizer import CharTokenizer
from charlm.text.subword_tokenizer import SubwordTokenizer
from charlm.text.tokenizer import Tokenizer, build, encode_chunks, encode_in_bulk, from_dict
from charlm.text.word_tokenizer import WordTokenizer

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
# A new level is held to the laws by standing in config.LEVELS; here are its settings.
CONFIGS: dict[str, TokenizerConfig] = {
    **{level: TokenizerConfig(level) for level in LEVELS},
    "word lower": TokenizerConfig("word", lower=True, min_count=21),
    "word unicode": TokenizerConfig("word", split="unicode"),
    "subword unigram": TokenizerConfig("subword", vocab_size=320),
    "subword bpe": TokenizerConfig("subword", vocab_size=320, algorithm="bpe"),
}
TOKENIZERS = {name: build(config, [STORY, CHINESE]) for name, config in CONFIGS.items()}
each = pytest.mark.parametrize("name", CONFIGS)


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


@pytest.mark.parametrize("name", [name for name in CONFIGS if TOKENIZERS[name].lossless])
@settings(deadline=None)
@given(text=st.text(st.sampled_from(sorted(set(STORY + CHINESE))), max_size=60))
def test_what_is_lossless_loses_nothing_that_it_knows(name: str, text: str) -> None:
    tokenizer = TOKENIZERS[name]
    assert tokenizer.decode(tokenizer.encode(text)) == text


@each
@settings(deadline=None)
@given(text=savage | st.just(STORY[:200] + CHINESE), size=st.integers(1, 50))
def test_chunk_boundaries_do_not_matter(name: str, text: str, size: int) -> None:
    tokenizer = TOKENIZERS[name]
    chunks = [text[i : i + size] for i in range(0, len(text), size)]
    ids = [int(i) for part in encode_chunks(tokenizer, chunks) for i in part]
    assert ids == [int(i) for part in encode_in_bulk(tokenizer, chunks) for i in part]
    assert ids == ids_of(tokenizer, text)


@each
@pytest.mark.parametrize("size", [1, 7, 100])
def test_chunk_boundaries_do_not_change_the_vocabulary(name: str, size: int) -> None:
    text = STORY + CHINESE
    chunks = [text[i : i + size] for i in range(0, len(text), size)]
    assert build(CONFIGS[name], chunks).as_dict() == TOKENIZERS[name].as_dict()


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
    # a line of k words separated by single spaces: the first is not always told by its first token
    line = tokenizer.encode("A cat sleeps 15 hours a day")
    assert int(starts[line].sum()) == 6 + int(starts[line[0]])


@each
def test_nothing_comes_from_nothing(name: str) -> None:
    tokenizer = TOKENIZERS[name]
    assert ids_of(tokenizer, "") == []
    assert tokenizer.decode([]) == tokenizer.decode(np.array([], np.int64)) == ""
    assert ids_of(tokenizer, "\n\n") == [tokenizer.eos] * 2


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


# ── errors ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (TokenizerConfig("byte", vocab_size=300), "`vocab_size` has no meaning at level byte"),
        (TokenizerConfig("subword", min_count=2), "`min_count` has no meaning at level subword"),
        (TokenizerConfig("char", lower=True), "`lower` has no meaning at level char"),
        (TokenizerConfig("char", vocab_size=2), "`vocab_size` must be at least 3"),
        (TokenizerConfig("word", vocab_size=1), "`vocab_size` must be at least 3"),
        (TokenizerConfig("subword", vocab_size=200), "subwords need at least 300"),
    ],
)
def test_settings_that_make_no_sense(config: TokenizerConfig, message: str) -> None:
    with pytest.raises(CharlmError, match=message):
        build(config, ["some text\n"])


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
