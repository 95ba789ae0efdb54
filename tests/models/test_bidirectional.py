"""Bidirectional networks: what a prediction may and may not see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from toys import random_tensors

from charlm.config import CELLS, NetworkConfig
from charlm.errors import CharlmError
from charlm.models import bidirectional, padding
from charlm.models.bidirectional import BidirectionalLM
from charlm.network.network import Network

BASE = NetworkConfig(vocab_size=11, embed=6, hidden=7, bidirectional=True)
VARIANTS = {
    "one layer": BASE,
    "three layers": replace(BASE, layers=3),
    "residual": replace(BASE, layers=2, residual=True, learned_start=True),
    "dense": replace(BASE, layers=2, dense=2, learned_start=True),
    "tied": replace(BASE, tied=True),
    "tied, square": replace(BASE, tied=True, embed=14),
}
anything = pytest.mark.parametrize(
    "config",
    [replace(config, cell=cell) for config in VARIANTS.values() for cell in CELLS],
    ids=[f"{name}, {cell}" for name in VARIANTS for cell in CELLS],
)


def lm_of(config: NetworkConfig) -> BidirectionalLM:
    return BidirectionalLM(config, random_tensors(config), eos=0)


@anything
def test_a_token_sees_all_others_and_not_itself(config: NetworkConfig) -> None:
    lm = lm_of(config)
    ids = np.random.default_rng(0).integers(11, size=9)
    before = lm.predict(ids)
    np.testing.assert_allclose(np.exp(before).sum(axis=1), 1, atol=1e-5)
    for t in range(9):
        changed = ids.copy()
        changed[t] = (ids[t] + 1) % 11
        after = lm.predict(changed)
        np.testing.assert_array_equal(after[t], before[t])
        others = np.delete(np.abs(after - before).max(axis=1), t)
        assert others.min() > 0


@anything
def test_torch_and_numpy_agree(config: NetworkConfig) -> None:
    lm = lm_of(config)
    network = Network.of(config, lm.tensors).eval()
    ids_BT = np.random.default_rng(1).integers(11, size=(3, 12))
    first = np.zeros((3, 1), np.int64)
    x_TB = torch.from_numpy(np.concatenate([first, ids_BT[:, :-1]], 1).T.copy())
    y_TB = torch.from_numpy(ids_BT.T.copy())
    nats_TB, _ = network.nats(x_TB, y_TB, network.start(3))
    for row, own in zip(nats_TB.numpy().T, lm.logprobs(list(ids_BT)), strict=True):
        np.testing.assert_allclose(row, own, atol=1e-5)


def test_rows_do_not_mix_and_lengths_do_not_matter() -> None:
    lm = lm_of(VARIANTS["three layers"])
    rng = np.random.default_rng(2)
    seqs = [rng.integers(11, size=n) for n in (5, 0, 9, 1, 5)]
    for seq, own in zip(seqs, lm.logprobs(seqs), strict=True):
        assert own.shape == seq.shape
        if len(seq):
            alone = lm.predict(seq)[np.arange(len(seq)), seq]
            np.testing.assert_allclose(own, alone, atol=1e-5)
    same = np.stack([seqs[0], seqs[4]])
    at = lm.predict_at(same, 2)
    np.testing.assert_allclose(at[1], lm.predict(seqs[4])[2], atol=1e-5)


def test_its_tensors_are_those_of_its_configuration() -> None:
    for config in VARIANTS.values():
        own = {name: tensor.shape for name, tensor in Network(config).tensors().items()}
        assert own == config.shapes()


def test_no_limit_changes_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    lm = lm_of(VARIANTS["dense"])
    rng = np.random.default_rng(4)
    seqs = [rng.integers(11, size=n) for n in (9, 9, 8, 3)]
    ids_NT = np.stack(seqs[:2])
    before = (lm.logprobs(seqs), lm.predict(seqs[0]), lm.predict_at(ids_NT, 3))
    monkeypatch.setattr(bidirectional, "TOKENS_AT_ONCE", 1)
    monkeypatch.setattr(padding, "MAX_ENTRIES", 1)
    for one, other in zip(before[0], lm.logprobs(seqs), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    np.testing.assert_allclose(before[1], lm.predict(seqs[0]), atol=1e-5)
    np.testing.assert_allclose(before[2], lm.predict_at(ids_NT, 3), atol=1e-5)


def test_a_line_may_be_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bidirectional, "MAX_TOKENS", 5)
    with pytest.raises(CharlmError, match="too long"):
        lm_of(BASE).logprobs([np.zeros(6, np.int64)])
