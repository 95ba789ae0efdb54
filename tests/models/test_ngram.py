"""N-gram models as arrays: contexts, tensors, damage."""

from __future__ import annotations

import numpy as np
import pytest

from charlm.errors import CharlmError
from charlm.lm import Ids
from charlm.models.kneser_ney import estimate
from charlm.models.ngram import NgramLM

V, EOS = 6, 0


def model(seed: int = 0, order: int = 3, *, lines: bool = False, size: int = 400) -> NgramLM:
    ids = np.random.default_rng(seed).zipf(1.5, size).clip(1, V) - 1
    return estimate(np.append(ids, EOS), V, EOS, order, lines=lines)


@pytest.mark.parametrize("lines", [False, True])
def test_matched_is_the_longest_context_known(lines: bool) -> None:
    lm = model(order=4, lines=lines)
    ids = np.random.default_rng(1).integers(V, size=(3, 30))
    along: list[Ids] = []
    state = lm.start(3)
    for ids_B in ids.T:
        along.append(lm.matched(state))
        state = lm.advance(state, ids_B)
    np.testing.assert_array_equal(lm.matched_before(lm.start(3), ids), np.stack(along, axis=1))
    assert along[0].tolist() == [1, 1, 1]  # <s>, or the <EOS> before
    assert np.stack(along).max() == 3


def test_tensors_bring_the_model_back() -> None:
    lm = model(order=3, lines=True)
    again = NgramLM.from_tensors(lm.config(), lm.tensors(), EOS)
    ids = np.arange(V)[None]
    np.testing.assert_array_equal(again.read(again.start(1), ids)[0], lm.read(lm.start(1), ids)[0])


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("order.2.keys", lambda a: a[::-1].copy()),
        ("order.2.nats", lambda a: a[:-1]),
        ("order.3.keys", lambda a: a + 10**9),
        ("order.1.backoff", None),
    ],
)
def test_damaged_tensors_are_refused(name: str, change: object) -> None:
    lm = model()
    tensors = lm.tensors()
    if callable(change):
        tensors[name] = change(tensors[name])
    else:
        del tensors[name]
    with pytest.raises(CharlmError, match="damaged"):
        NgramLM.from_tensors(lm.config(), tensors, EOS)
