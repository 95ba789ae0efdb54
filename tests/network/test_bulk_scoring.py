"""Scoring by torch: it obeys the laws of the contract, and gives NumPy's numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from test_laws import LAWS
from toys import recurrent_lm, variety

from charlm.models import padding
from charlm.models.recurrent import RecurrentLM
from charlm.network import bulk_scoring


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("lm", variety().values(), ids=variety().keys())
def test_it_obeys_the_laws(lm: RecurrentLM, law: Callable[..., None]) -> None:
    law(lm=bulk_scoring.TorchLM(lm, "cpu"))


@pytest.mark.parametrize("lm", variety().values(), ids=variety().keys())
def test_equals_numpy(lm: RecurrentLM) -> None:
    rng = np.random.default_rng(3)
    seqs = [rng.integers(11, size=n) for n in (0, 1, 40, 7, 300, 7)]
    by_torch = bulk_scoring.on_device(lm, "cpu").logprobs(seqs)
    for one, other in zip(lm.logprobs(seqs), by_torch, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)


def test_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    lm = recurrent_lm("lstm")
    ids = np.random.default_rng(1).integers(11, size=(3, 50))
    whole, _ = lm.read(lm.start(3), ids)
    monkeypatch.setattr(padding, "MAX_ENTRIES", 4 * 7 * 3 * 8)  # eight tokens of three rows
    parts, _ = bulk_scoring.on_device(lm, "cpu").read(lm.start(3), ids)
    np.testing.assert_allclose(parts, whole, atol=2e-5)
