"""What is drawn where a constraint refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from charlm.lm import Ids, Nats
from charlm.tasks.sampling_filters import Filters, normalise
from charlm.tasks.token_choice import DEAD_END, STUCK, Chooser

P = np.array([0.4, 0.3, 0.15, 0.1, 0.05, 0.0])
N = 20_000


class Only:
    """Allows some tokens; counts the questions."""

    def __init__(self, *tokens: int) -> None:
        self.tokens, self.asked = tokens, 0

    def after(self, text_T: Ids) -> Callable[[int], bool]:
        def allowed(token: int) -> bool:
            self.asked += 1
            return token in self.tokens

        return allowed


class Forbid:
    """A guard."""

    def __init__(self, *tokens: int) -> None:
        self.tokens = np.array(tokens, np.int64)

    def forbidden(self, texts_BT: Ids) -> list[Ids]:
        return [self.tokens] * len(texts_BT)


def frequencies(chooser: Chooser, n: int = N) -> Nats:
    with np.errstate(divide="ignore"):
        nats = np.tile(np.log(P), (n, 1))
    ids = chooser(nats, np.random.default_rng(1).random(n), np.zeros((n, 0), np.int64), False)
    np.testing.assert_array_equal(nats, np.tile(nats[0], (n, 1)))  # the argument is unchanged
    return np.bincount(ids, minlength=len(P)) / n


def make(*tokens: int, **options: Any) -> Chooser:
    return Chooser(Filters(**options), constraint=Only(*tokens))  # type: ignore[arg-type]


@pytest.mark.parametrize("tokens", [(0, 2), (2, 3, 4), (1,), (0, 1, 2, 3, 4)])
def test_refused_tokens_leave_the_others_in_proportion(tokens: tuple[int, ...]) -> None:
    expected = np.where(np.isin(np.arange(6), tokens), P, 0)
    np.testing.assert_allclose(frequencies(make(*tokens)), expected / expected.sum(), atol=0.015)


def test_among_those_that_the_filters_keep_if_any_is_allowed() -> None:
    found = frequencies(make(1, 2, 4, top_k=3))
    np.testing.assert_allclose(found, np.array([0, 2, 1, 0, 0, 0]) / 3, atol=0.015)


def test_else_the_filters_see_all_that_are_allowed() -> None:
    found = frequencies(make(2, 3, 4, top_k=2), 4000)
    np.testing.assert_allclose(found, [0, 0, 0.6, 0.4, 0, 0], atol=0.03)
    assert frequencies(make(3, 4, temperature=0.0), 3)[3] == 1


def test_the_same_draws_choose_the_same_tokens() -> None:
    nats, draws = np.tile(np.log(P[:5]), (50, 1)), np.random.default_rng(2).random(50)
    texts: Ids = np.zeros((50, 0), np.int64)
    first, again = (make(1, 2, 3)(nats, draws, texts, False) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (make(1, 2, 3)(nats, draws[::-1], texts, False) != first).any()


def test_few_questions_are_asked() -> None:
    chooser = make(0, 1, 2, 3)
    frequencies(chooser)
    assert chooser.constraint is not None
    assert chooser.constraint.asked < 1.2 * N  # type: ignore[attr-defined]


def one_token(chooser: Chooser) -> int:
    with np.errstate(divide="ignore"):
        nats = np.log(P[None])
    return int(chooser(nats, np.array([0.5]), np.zeros((1, 0), np.int64), False)[0])


@pytest.mark.parametrize("options", [{}, {"top_k": 2}, {"temperature": 0.0}])
def test_dead_ends(options: dict[str, Any]) -> None:
    assert one_token(make(5, **options)) == DEAD_END  # of probability 0
    chooser = make(1, **options)
    assert one_token(replace(chooser, guards=[Forbid(1)])) == STUCK  # but for the guard
    assert one_token(replace(make(5, **options), guards=[Forbid(1)])) == DEAD_END
    assert one_token(replace(make(1, 3, **options), guards=[Forbid(1)])) == 3
    assert one_token(replace(chooser, guards=[Forbid(1), Forbid(2)])) == STUCK  # but for the first


def test_the_most_probable_tokens_are_asked_about_first() -> None:
    chooser = replace(make(2, 3, 4, temperature=0.0), at_most=1)
    assert one_token(chooser) == 2
    assert chooser.constraint is not None
    assert chooser.constraint.asked == 3  # type: ignore[attr-defined]
    found = frequencies(replace(make(2, 3, 4, top_k=2), at_most=2), 4000)
    np.testing.assert_allclose(found, [0, 0, 0.6, 0.4, 0, 0], atol=0.03)


def test_filters_see_what_guards_and_bans_leave() -> None:
    chooser = Chooser(Filters(top_k=2), banned=np.array([0]), guards=[Forbid(1, 4), Forbid()])
    np.testing.assert_allclose(frequencies(chooser), [0, 0, 0.6, 0.4, 0, 0], atol=0.015)


def test_guards_may_leave_nothing() -> None:
    chooser = Chooser(Filters(top_p=0.5), guards=[Forbid(0, 1), Forbid(2, 3, 4)])
    ids = chooser(np.log(P[None] + 1e-300), np.zeros(1), np.zeros((1, 3), np.int64), False)
    assert ids[0] == 5
    ids = chooser(normalise(np.log(P[None, :5])), np.zeros(1), np.zeros((1, 3), np.int64), False)
    assert ids[0] == STUCK
