"""Streams of batches: each token predicted once an epoch, and any step can be found again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.config import TokenizerConfig
from charlm.errors import CharlmError
from charlm.lm import Ids
from charlm.text.corpus import prepare
from charlm.text.source import open_text
from charlm.training.streams import Streams


@st.composite
def shapes(draw: st.DrawFn) -> tuple[int, int, int, int]:
    batch_size, bptt = draw(st.integers(1, 6)), draw(st.integers(1, 8))
    n = draw(st.integers(batch_size * bptt, batch_size * bptt * 5 + 7))
    return n, batch_size, bptt, draw(st.integers(0, 1000))


def positions(n: int) -> Ids:
    """Ids that tell where they stand."""
    return np.arange(n, dtype=np.uint32)


@given(shapes())
def test_each_epoch_predicts_each_token_at_most_once(shape: tuple[int, int, int, int]) -> None:
    n, batch_size, bptt, seed = shape
    streams = Streams(positions(n), batch_size, bptt, seed)
    assert streams.steps_per_epoch == max(1, n // batch_size // bptt)
    for _ in range(3):
        seen: list[int] = []
        for k in range(streams.steps_per_epoch):
            batch = streams.next()
            assert batch.fresh == (k == 0)
            assert batch.x_TB.shape == batch.y_TB.shape == (bptt, batch_size)
            assert batch.x_TB.dtype == batch.y_TB.dtype == np.int64
            assert ((batch.x_TB + 1) % n == batch.y_TB).all(), "y follows x"
            seen += batch.y_TB.ravel().tolist()
        assert len(set(seen)) == len(seen)
        assert n - len(seen) < batch_size * (bptt + 1)


@given(shapes())
def test_state_can_be_carried_from_batch_to_batch(shape: tuple[int, int, int, int]) -> None:
    n, batch_size, bptt, seed = shape
    streams = Streams(positions(n), batch_size, bptt, seed)
    last = None
    for _ in range(3 * streams.steps_per_epoch):
        batch = streams.next()
        if not batch.fresh:
            assert last is not None
            assert (batch.x_TB[0] == last).all()
        last = batch.y_TB[-1]


@given(shapes(), st.integers(0, 40))
def test_seek_reproduces(shape: tuple[int, int, int, int], step: int) -> None:
    n, batch_size, bptt, seed = shape
    whole = Streams(positions(n), batch_size, bptt, seed)
    for _ in range(step):
        whole.next()
    sought = Streams(positions(n), batch_size, bptt, seed)
    sought.seek(step)
    for _ in range(3):
        one, other = whole.next(), sought.next()
        assert np.array_equal(one.x_TB, other.x_TB)
        assert np.array_equal(one.y_TB, other.y_TB)
        assert one.fresh == other.fresh


def test_epochs_begin_anywhere_and_seeds_differ() -> None:
    def starts(seed: int) -> Iterator[int]:
        streams = Streams(positions(10_000), 4, 100, seed)
        for epoch in range(8):
            streams.seek(epoch * streams.steps_per_epoch)
            yield int(streams.next().y_TB[0, 0])

    assert len(set(starts(1))) == 8
    assert list(starts(1)) == list(starts(1))
    assert list(starts(1)) != list(starts(2))
    assert next(starts(5)) == np.random.default_rng((5, 0)).integers(10_000)


def test_streams_read_a_prepared_corpus(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_text("".join(f"the cat number {i} sat — down\n" for i in range(300)), "utf-8")
    corpus = prepare(open_text([path]), None, TokenizerConfig(), tmp_path / "cache")
    batch = Streams(corpus.train, 4, 50, 1).next()
    text = corpus.tokenizer.decode(corpus.train)
    for b in range(4):
        assert corpus.tokenizer.decode(batch.x_TB[:, b]) in text[-50:] + text


def test_too_short_for_one_batch() -> None:
    with pytest.raises(CharlmError) as caught:
        Streams(positions(1000), 32, 128, 1)
    assert "1,000 tokens, fewer than one batch of 32 × 128" in str(caught.value)
    assert "`bptt` (such as 31)" in str(caught.value)
    Streams(positions(1000), 32, 31, 1).next()
    with pytest.raises(CharlmError, match=r"`batch_size` \(below 5\)"):
        Streams(positions(5), 32, 128, 1)
