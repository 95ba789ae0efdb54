"""What a model says of itself decides what it may be asked."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from charlm import lm
from charlm.errors import CharlmError


def model(*, pseudo: bool = False, learns: bool = False, order: int = 0) -> Any:
    return SimpleNamespace(pseudo=pseudo, learns=learns, order=order)


@pytest.mark.parametrize(("order", "backs_off"), [(0, False), (1, True), (2, True)])
def test_what_has_an_order_backs_off(order: int, backs_off: bool) -> None:
    assert lm.is_backoff(model(order=order)) == backs_off


def test_a_model_of_both_sides_only_scores() -> None:
    both = model(pseudo=True)
    assert lm.is_pseudo(both)
    assert not lm.is_sequential(both)
    assert not lm.is_causal(both)
    for ask in (lm.sequential, lm.causal):
        with pytest.raises(CharlmError, match="this model is bidirectional"):
            ask(both)


def test_a_model_that_learns_reads_from_the_left_but_is_not_causal() -> None:
    learner = model(learns=True)
    assert lm.sequential(learner) is learner
    assert not lm.is_pseudo(learner)
    assert not lm.is_causal(learner)
    with pytest.raises(CharlmError, match="learns while it reads"):
        lm.causal(learner)


def test_any_other_model_may_be_asked_everything() -> None:
    usual = model()
    assert lm.is_causal(usual)
    assert lm.sequential(usual) is lm.causal(usual) is usual
