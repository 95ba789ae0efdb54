"""Measuring whole texts, in chunks cut anywhere."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import TEXTS, pair_of

from charlm.errors import CharlmError
from charlm.measures import Measures
from charlm.tasks import evaluate as room
from charlm.tasks.evaluate import evaluate
from charlm.tasks.score import score

levels = pytest.mark.parametrize("level", TEXTS)
TEXT = "the cat sat, \nnaïve ☃\n\n  abc de fgh\nand the mat\n" * 3
MODES: list[dict[str, Any]] = [
    {"context": "stream"},
    {"context": "sentence"},
    {"context": "stream", "window": 7},
    {"context": "stream", "window": 1},
]


def assert_close(one: Measures, other: Measures) -> None:
    assert one.as_dict() == pytest.approx(other.as_dict(), rel=1e-5)
    assert one.oov_logprob == pytest.approx(other.oov_logprob, rel=1e-5)


@levels
@pytest.mark.parametrize("context", ["stream", "sentence"])
def test_a_text_is_the_sum_of_its_lines(level: str, context: str) -> None:
    lm, tokenizer = pair_of(level)
    lines = score(lm, tokenizer, TEXT.split("\n")[:-1], context=context)
    total = Measures(0, 0, 0, 0)
    for line in lines:
        total += line.measures
    assert_close(evaluate(lm, tokenizer, [TEXT], context=context), total)


@levels
@pytest.mark.parametrize("window", [1, 7, 10_000])
def test_windows_begin_afresh(level: str, window: int) -> None:
    lm, tokenizer = pair_of(level)
    ids = tokenizer.encode(TEXT)
    expected = 0.0
    for start in range(0, len(ids), window):  # one token of context, the rest forgotten
        before = ids[start - 1 : start] if start else np.array([tokenizer.eos])
        nats, _ = lm.read(lm.advance(lm.empty(1), before), ids[None, start : start + window])
        expected += float(nats.sum())
    measures = evaluate(lm, tokenizer, [TEXT], window=window)
    assert measures.logprob == pytest.approx(expected, rel=1e-5)
    assert measures.tokens == len(ids)


@levels
@pytest.mark.parametrize("mode", MODES, ids=str)
@settings(max_examples=10, deadline=None)
@given(cuts=st.lists(st.integers(0, len(TEXT))), piece=st.integers(1, 50))
def test_chunks_may_be_cut_anywhere(
    level: str, mode: dict[str, Any], cuts: list[int], piece: int
) -> None:
    lm, tokenizer = pair_of(level)
    cuts = [0, *sorted(cuts), len(TEXT)]
    chunks = [TEXT[a:b] for a, b in pairwise(cuts)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "CHARS_AT_ONCE", piece)
        found = evaluate(lm, tokenizer, chunks, **mode)
    assert_close(found, evaluate(lm, tokenizer, [TEXT], **mode))


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_the_last_line_is_closed(mode: dict[str, Any]) -> None:
    lm, tokenizer = pair_of("char")
    closed = evaluate(lm, tokenizer, [TEXT], **mode)
    assert_close(evaluate(lm, tokenizer, [TEXT.removesuffix("\n")], **mode), closed)
    assert closed.chars == len(TEXT)
    assert closed.bytes == len(TEXT.encode())
    assert closed.tokens == len(TEXT)
    assert closed.oov == sum(c not in TEXTS["char"] for c in TEXT)


def test_progress() -> None:
    seen: list[Measures] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "CHARS_AT_ONCE", 10)
        total = evaluate(*pair_of("char"), [TEXT], progress=seen.append)
    assert len(seen) == -(-len(TEXT) // 10)
    assert seen[-1] == total
    assert all(a.bytes < b.bytes for a, b in pairwise(seen))


def test_memory_is_bounded() -> None:
    lm, tokenizer = pair_of("char")

    def peak(size: int) -> int:
        chunks = ("abc de\n" * 1000 for _ in range(size))
        tracemalloc.start()
        try:
            evaluate(lm, tokenizer, chunks, context="sentence")
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "CHARS_AT_ONCE", 10_000)
        assert peak(20) < 1.2 * peak(2)


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("", {}, "no text"),
        ("a", {"context": "page"}, "sentence"),
        ("a", {"window": 0}, "at least 1"),
        ("a", {"window": 3, "context": "sentence"}, "leave it out"),
    ],
)
def test_refusals(text: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(CharlmError, match=words):
        evaluate(*pair_of("char"), [text], **options)


def test_windows_do_not_depend_on_the_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    lm, tokenizer = pair_of("char")
    ids = np.random.default_rng(1).integers(0, lm.vocab_size, 100)
    whole = room.Windows(lm, 7, tokenizer.eos).read(ids)
    monkeypatch.setattr(room, "WINDOW_TOKENS_AT_ONCE", 20)  # two windows side by side
    for cuts in ([0], [3, 4, 50], [7, 14, 15], [6, 99]):
        reader = room.Windows(lm, 7, tokenizer.eos)
        parts = [reader.read(part) for part in np.split(ids, cuts)]
        np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-5)


def test_reader_begins_afresh_where_told() -> None:
    lm, _ = pair_of("char")
    cuts = iter([np.zeros(0, int), np.array([0, 2, 2])])
    reader = room.Reader(lm, lambda ids: next(cuts))
    ids = np.array([3, 4, 5, 6])
    first, second = reader.read(ids), reader.read(ids)
    np.testing.assert_allclose(first, lm.logprobs([ids])[0], atol=1e-5)
    expected = np.concatenate(lm.logprobs([ids[:2], ids[2:]]))
    np.testing.assert_allclose(second, expected, atol=1e-5)
