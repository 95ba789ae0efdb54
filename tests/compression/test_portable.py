"""Models of every family in portable arithmetic: nearly as they are, and the same in any batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_laws import BY_FAMILY
from toys import small_model_file

from charlm.compression.portable import ONE, portable, shares, whole
from charlm.errors import CharlmError
from charlm.lm import CausalLM
from charlm.models import model_file
from charlm.models.remembering import RememberingLM

MODELS = {name: lm for models in BY_FAMILY.values() for name, lm in models.items()}
IDS_TB = np.random.default_rng(4).integers(11, size=(12, 5))

model = pytest.mark.parametrize("lm", MODELS.values(), ids=MODELS.keys())


@model
def test_it_predicts_what_the_model_does(lm: CausalLM[Any]) -> None:
    """With weights of 8 bits, so that small networks differ by as much as a few hundredths."""
    ours, state, theirs = portable(lm), portable(lm).start(5), lm.start(5)
    for ids_B in IDS_TB:
        p = ours.shares(state)
        np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-6)
        np.testing.assert_allclose(p, np.exp(lm.predict(theirs)), atol=0.04)
        np.testing.assert_allclose(shares(ours.scores(state)), p, atol=1e-6)
        state, theirs = ours.advance(state, ids_B), lm.advance(theirs, ids_B)


@model
def test_a_row_is_the_same_alone(lm: CausalLM[Any]) -> None:
    ours = portable(lm)
    together, alone = ours.start(5), [ours.start(1) for _ in range(5)]
    for ids_B in IDS_TB:
        one_by_one = np.concatenate([ours.scores(state) for state in alone])
        np.testing.assert_array_equal(ours.scores(together), one_by_one)
        together = ours.advance(together, ids_B)
        alone = [ours.advance(state, ids_B[b : b + 1]) for b, state in enumerate(alone)]


def test_scores_are_weighed_in_whole_numbers() -> None:
    scores = np.array([[0, -1, -1000, -np.inf], [300, 299, 200, 0]], np.float32)
    found = whole(scores, ONE)
    np.testing.assert_array_equal(found, np.rint(found))
    np.testing.assert_array_equal(found[:, 0], ONE)
    np.testing.assert_allclose(found[:, 1] / ONE, np.exp(-1), rtol=3e-7)
    assert (found[:, 2:] < 1e-20 * ONE).all()


def test_a_bidirectional_model_cannot() -> None:
    lm = model_file.build(small_model_file(bidirectional=True))
    with pytest.raises(CharlmError, match="predict the next token"):
        portable(lm)


def test_another_kind_of_model() -> None:
    with pytest.raises(CharlmError, match=r"\(RememberingLM\) has no portable arithmetic"):
        portable(RememberingLM(MODELS["mixture"]))
