"""The experiment on truncated backpropagation through time."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from charlm.config import CELLS, NetworkConfig, TrainConfig
from charlm.errors import CharlmError
from charlm.lab import bptt, learn
from charlm.network.network import new_network
from charlm.text.corpus import Corpus
from charlm.training.streams import Streams

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("cell", CELLS)
def test_cutting_side_by_side_is_cutting_one_after_another(cell: str, corpus: Corpus) -> None:
    """A gradient cut every 4 of 8 tokens is the mean of those of two pieces."""
    shape = NetworkConfig(corpus.tokenizer.vocab_size, cell=cell, embed=5, hidden=6)
    config = TrainConfig(
        steps=2, bptt=8, batch_size=3, optimizer="sgd", lr=0.1, momentum=0.0, clip_norm=0.0,
        weight_decay=0.0, schedule="constant", warmup=0,
    )  # fmt: skip
    found = learn.train_network(new_network(shape, config), config, corpus, reach=4).tensors()
    network = new_network(shape, config)
    streams = Streams(corpus.train, 3, 8, config.seed)
    state = network.start(3)
    for _ in range(2):
        batch = streams.next()
        network.zero_grad()
        for piece in (slice(0, 4), slice(4, 8)):
            x, y = (torch.from_numpy(ids[piece]) for ids in (batch.x_TB, batch.y_TB))
            loss, after = network(x, y, state)
            (loss / 2).backward()
            state = tuple(tuple(s.detach() for s in layer) for layer in after)
        with torch.no_grad():
            for p in network.parameters():
                assert p.grad is not None
                p.sub_(0.1 * p.grad)
    for name, tensor in network.tensors().items():
        np.testing.assert_allclose(found[name], tensor, atol=1e-5, err_msg=name)


def test_what_is_not_learned_costs_a_bit() -> None:
    """At least: after a few steps, even fillers are expected at the end."""
    with bptt.lag_corpus() as language:
        found = bptt.loss_of(bptt.Job("gru", 64, 1, 8, 60, language, at_ends=True))
    assert 0.8 < found < 20


def test_the_same_seeds_make_the_same_truncation(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bptt, "LAG_LINES", 2000)
    first, same = (
        bptt.experiment(corpus, cells=["gru"], lengths=[1, 64], seeds=2, hidden=8, steps=3)
        for _ in range(2)
    )
    assert first == same
    one, whole = first.points
    assert (one.bptt, whole.bptt) == (1, 64)
    assert len(set(one.losses)) == 2
    assert one.losses != whole.losses
    assert one.bits_per_char == pytest.approx(one.loss / math.log(2), rel=1e-6)


def test_the_end_of_a_line_is_told_by_its_beginning() -> None:
    line = bptt.LAG + 2
    with bptt.lag_corpus() as corpus:
        text = corpus.tokenizer.decode(corpus.train[: 200 * line]).splitlines()
    assert len(text) == 200
    for written in text:
        assert len(written) == bptt.LAG + 1
        assert written[-1] == written[0].upper()
        assert set(written[1:-1]) <= set("wxyz")


def test_a_truncation_that_does_not_fit_is_refused(corpus: Corpus) -> None:
    with pytest.raises(CharlmError, match="3 tokens does not divide"):
        bptt.experiment(corpus, lengths=[3], hidden=8, steps=3)
