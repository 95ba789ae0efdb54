"""Corpora prepared on disk: found again, rebuilt when damaged, refused when too small."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charlm.config import TokenizerConfig
from charlm.errors import CharlmError
from charlm.text import corpus as corpus_module
from charlm.text.corpus import Corpus, TextStats, prepare
from charlm.text.source import TextSource, open_text

TEXT = "".join(f"the cat number {i} sat — down\n" for i in range(300))
CONFIGS = [
    TokenizerConfig(),
    TokenizerConfig("byte"),
    TokenizerConfig("word"),
    TokenizerConfig("word", split="unicode", lower=True),
    TokenizerConfig("subword", vocab_size=320, algorithm="bpe"),
]
every_config = pytest.mark.parametrize("config", CONFIGS, ids=lambda c: f"{c.level} {c.split}")


def source(path: Path, text: str | bytes = TEXT) -> TextSource:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return open_text([path])


def built(cache: Path) -> list[str]:
    return sorted(str(path.relative_to(cache)) for path in cache.rglob("*") if path.is_file())


# ── preparing ────────────────────────────────────────────────────────────────────────────────


@every_config
def test_streams_spell_the_text(tmp_path: Path, config: TokenizerConfig) -> None:
    corpus = prepare(source(tmp_path / "t.txt"), None, config, tmp_path / "cache")
    tokenizer = corpus.tokenizer
    lines = TEXT.splitlines(keepends=True)
    train, valid = "".join(lines[:270]), "".join(lines[270:])
    if abs(corpus.train_text.lines - 270) == 1:  # lines are not all equally long
        n = corpus.train_text.lines
        train, valid = "".join(lines[:n]), "".join(lines[n:])
    for ids, text, stats in (
        (corpus.train, train, corpus.train_text),
        (corpus.valid, valid, corpus.valid_text),
    ):
        assert np.array_equal(ids, tokenizer.encode(text))
        assert ids[-1] == tokenizer.eos
        assert ids.dtype.kind == "u"
        assert ids.dtype.itemsize == (1 if tokenizer.vocab_size <= 256 else 2)
        assert not ids.flags.writeable
        unknown = int((ids == tokenizer.unk).sum()) if tokenizer.unk is not None else 0
        expected = TextStats(
            len(text), len(text.encode()), text.count("\n"), len(tokenizer.encode(text)), unknown
        )
        assert stats == expected
    assert corpus.name == "t.txt"
    assert corpus.sha256 == source(tmp_path / "t.txt").sha256()


@every_config
def test_what_was_prepared_is_found_again(
    tmp_path: Path, config: TokenizerConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, cache = source(tmp_path / "t.txt"), tmp_path / "a" / "cache"
    first = prepare(text, None, config, cache)
    monkeypatch.setattr(corpus_module, "_build", None)  # must not be needed
    elsewhere = source(tmp_path / "copy.txt")
    second = prepare(elsewhere, None, config, cache)
    assert second.name == "copy.txt"
    assert second.tokenizer.as_dict() == first.tokenizer.as_dict()
    assert np.array_equal(second.train, first.train)
    assert np.array_equal(second.valid, first.valid)
    assert (second.train_text, second.valid_text) == (first.train_text, first.valid_text)


def test_the_vocabulary_is_that_of_the_training_text(tmp_path: Path) -> None:
    split = prepare(source(tmp_path / "t", "ab\n" * 90 + "cd\n" * 10), None, CONFIGS[0], tmp_path)
    assert split.tokenizer.vocab_size == 4
    assert split.valid_text.oov == 20
    assert split.train_text.oov == 0
    given_ = prepare(
        source(tmp_path / "t", "ab\n" * 90),
        source(tmp_path / "v", "b\nabx"),
        CONFIGS[0],
        tmp_path,
    )
    assert given_.tokenizer.vocab_size == 4
    assert given_.tokenizer.decode(given_.valid) == "b\nab<UNK>\n"
    assert given_.valid_text == TextStats(chars=6, bytes=6, lines=2, tokens=6, oov=1)
    assert len(given_.train) == 270


def test_the_last_tenth_is_for_validation(tmp_path: Path) -> None:
    text = "".join(f"line {i:05}\n" for i in range(10_000))
    corpus = prepare(source(tmp_path / "t", text), None, CONFIGS[0], tmp_path / "c")
    assert corpus.tokenizer.decode(corpus.valid).startswith("line 09000\n")
    assert corpus.valid_text.lines == 1000
    corpus = prepare(source(tmp_path / "t", text), None, CONFIGS[0], tmp_path / "c", fraction=0.5)
    assert corpus.valid_text.lines == 5000


def test_whatever_matters_has_a_cache_of_its_own(tmp_path: Path) -> None:
    text, cache = source(tmp_path / "t"), tmp_path / "cache"
    latin = open_text([tmp_path / "t"], encoding="latin-1")
    other = source(tmp_path / "o", TEXT.upper())
    for source_, valid, config, fraction in (
        (text, None, CONFIGS[0], 0.9),
        (text, None, CONFIGS[0], 0.8),
        (text, None, CONFIGS[2], 0.9),
        (text, other, CONFIGS[0], 0.9),
        (other, None, CONFIGS[0], 0.9),
        (latin, None, CONFIGS[0], 0.9),
    ):
        for _ in range(2):
            prepare(source_, valid, config, cache, fraction=fraction)
    assert len(list(cache.iterdir())) == 6
    assert all(len(list(key.iterdir())) == 3 for key in cache.iterdir())


def test_byte_level_reads_any_file(tmp_path: Path) -> None:
    data = bytes(range(256)) * 50 + b"\r\n\xef\xbb\xbfend"
    corpus = prepare(source(tmp_path / "t", data), None, CONFIGS[1], tmp_path / "cache")
    ids = np.concatenate([corpus.train, corpus.valid]).astype(np.int64)
    ids[ids == 256] = 10
    cut = corpus.train_text.bytes
    assert ids.astype(np.uint8).tobytes() == data + b"\n"
    assert data[cut - 1 : cut] == b"\n"


@every_config
def test_one_long_line_without_newline(tmp_path: Path, config: TokenizerConfig) -> None:
    text = "words and 字 words " * 40_000
    corpus = prepare(source(tmp_path / "t", text), None, config, tmp_path / "cache")
    assert corpus.train[-1] == corpus.tokenizer.eos
    assert corpus.train_text.lines == corpus.valid_text.lines == 1
    assert corpus.train_text.chars + corpus.valid_text.chars == len(text) + 2
    if corpus.tokenizer.lossless:
        whole = corpus.tokenizer.decode(corpus.train)[:-1] + corpus.tokenizer.decode(corpus.valid)
        assert whole == text + "\n"


def test_progress(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    text = source(tmp_path / "t", TEXT)
    prepare(text, None, CONFIGS[2], tmp_path / "c", progress=lambda *now: told.append(now))
    stages = [stage for stage, _ in told]
    assert list(dict.fromkeys(stages)) == ["read", "count", "encode"]
    for stage in ("read", "count", "encode"):
        fractions = [fraction for name, fraction in told if name == stage]
        assert fractions == sorted(fractions)
        assert 0 <= fractions[0] <= fractions[-1] <= 1


# ── damage and disturbance ───────────────────────────────────────────────────────────────────


def damage(path: Path, how: str) -> None:
    data = bytearray(path.read_bytes())
    if how == "missing":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "shorter":
        path.write_bytes(data[: len(data) // 2])
    elif how == "longer":
        path.write_bytes(data + b"\0\0")
    else:
        data[len(data) // 2] ^= 1
        path.write_bytes(data)


@pytest.mark.parametrize("name", ["train.bin", "valid.bin", "corpus.json"])
@pytest.mark.parametrize("how", ["missing", "empty", "shorter", "longer", "flipped"])
def test_a_damaged_cache_is_rebuilt(tmp_path: Path, name: str, how: str) -> None:
    text, cache = source(tmp_path / "t"), tmp_path / "cache"
    first = prepare(text, None, CONFIGS[2], cache)
    before = {path: (cache / path).read_bytes() for path in built(cache)}
    damage(next(cache.iterdir()) / name, how)
    again = prepare(text, None, CONFIGS[2], cache)
    assert np.array_equal(again.train, again.tokenizer.encode(first.tokenizer.decode(again.train)))
    assert {path: (cache / path).read_bytes() for path in built(cache)} == before


def test_a_valid_digest_over_nonsense_is_not_trusted(tmp_path: Path) -> None:
    text, cache = source(tmp_path / "t"), tmp_path / "cache"
    prepare(text, None, CONFIGS[0], cache)
    path = next(cache.iterdir()) / "corpus.json"
    whole = path.read_bytes()
    nonsense: list[Any] = [[], {}, {"tokenizer": {"level": "byte"}, "train": {}, "valid": {}}]
    for body in nonsense:
        path.write_text(json.dumps({"digest": corpus_module._digest(body), "body": body}))
        prepare(text, None, CONFIGS[0], cache)
        assert path.read_bytes() == whole


def test_left_overs_are_swept_after_a_day(tmp_path: Path) -> None:
    text, cache = source(tmp_path / "t"), tmp_path / "cache"
    prepare(text, None, CONFIGS[0], cache)
    key = next(cache.iterdir())
    old, new = cache / f".{key.name}.old", cache / f".{key.name}.new"
    for left in (old, new):
        left.mkdir()
        (left / "train.bin").write_bytes(b"half")
    os.utime(old, (time.time() - 90_000,) * 2)
    (key / "train.bin").unlink()
    prepare(text, None, CONFIGS[0], cache)
    assert sorted(cache.iterdir()) == [new, key]


def test_another_process_was_quicker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, cache = source(tmp_path / "t"), tmp_path / "cache"
    build = corpus_module._build
    quick: list[Corpus] = []

    def overtaken(*args: object) -> None:
        build(*args)  # type: ignore[arg-type]
        if not quick:
            monkeypatch.setattr(corpus_module, "_build", build)
            quick.append(prepare(text, None, CONFIGS[0], cache))

    monkeypatch.setattr(corpus_module, "_build", overtaken)
    slow = prepare(text, None, CONFIGS[0], cache)
    assert len(list(cache.iterdir())) == 1
    assert np.array_equal(slow.train, quick[0].train)
    assert slow.tokenizer.decode(slow.valid) == quick[0].tokenizer.decode(quick[0].valid)


def test_processes_at_once(tmp_path: Path) -> None:
    source(tmp_path / "t", TEXT * 20)
    code = (
        "import sys; from pathlib import Path; from charlm.text.corpus import *; "
        "from charlm.text.source import open_text; "
        "c = prepare(open_text([sys.argv[1]]), None, TokenizerConfig('word'), Path(sys.argv[2])); "
        "print(len(c.train), int(c.train.sum()), len(c.valid))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "t"), str(tmp_path / "cache")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    printed = {process.communicate()[0] for process in running}
    assert [process.returncode for process in running] == [0, 0, 0]
    assert len(printed) == 1
    assert len(list((tmp_path / "cache").iterdir())) == 1


# ── texts that will not do ───────────────────────────────────────────────────────────────────


@every_config
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "t.txt holds 1 character; give at least a few thousand"),
        ("xy", "t.txt holds 2 characters; give at least a few thousand"),
        (" \n\t\n\r\x0b", "t.txt holds no text (nothing but whitespace)"),
    ],
)
def test_too_little_text(tmp_path: Path, config: TokenizerConfig, text: str, message: str) -> None:
    cache = tmp_path / "cache"
    with pytest.raises(CharlmError) as caught:
        prepare(source(tmp_path / "t.txt", text), None, config, cache)
    assert message in str(caught.value)
    assert not cache.exists() or not list(cache.iterdir()), "nothing is left behind"


def test_blank_validation_text(tmp_path: Path) -> None:
    with pytest.raises(CharlmError, match=r"v\.txt holds no text"):
        prepare(source(tmp_path / "t"), source(tmp_path / "v.txt", "\n\n"), CONFIGS[0], tmp_path)


def test_undecodable_text_leaves_nothing_behind(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with pytest.raises(CharlmError, match="not valid utf-8"):
        prepare(source(tmp_path / "t", b"abc\n" * 99_000 + b"\xff"), None, CONFIGS[0], cache)
    assert list(cache.iterdir()) == []


def test_cache_that_cannot_be_written(tmp_path: Path) -> None:
    text = source(tmp_path / "t")
    with pytest.raises(CharlmError, match=r"cannot prepare the corpus in .*Free some space"):
        prepare(text, None, CONFIGS[0], tmp_path / "t" / "cache")


def test_another_process_gets_the_directory(tmp_path: Path) -> None:
    corpus = prepare(source(tmp_path / "t.txt"), None, CONFIGS[0], tmp_path / "c")
    sent = pickle.dumps(corpus)
    assert len(sent) < 1000  # not the text
    received = pickle.loads(sent)
    assert (received.name, received.sha256) == (corpus.name, corpus.sha256)
    assert received.valid_text == corpus.valid_text
    np.testing.assert_array_equal(received.train, corpus.train)
    shutil.rmtree(corpus.directory)
    with pytest.raises(CharlmError, match="is gone"):
        pickle.loads(sent)
