"""The bootstrap over sentences."""

from __future__ import annotations

import math

import numpy as np
import pytest

from charlm.tasks import bootstrap as module
from charlm.tasks.bootstrap import bootstrap, interval


def test_bootstrap_has_the_spread_of_the_mean() -> None:
    rng = np.random.default_rng(0)
    extra, chars = rng.normal(0.1, 1.0, 400), np.ones(400)
    drawn = bootstrap(extra, chars, 4000, seed=1)
    assert drawn.mean() == pytest.approx(extra.mean(), abs=0.01)
    assert drawn.std() == pytest.approx(extra.std() / 20, rel=0.1)


def test_both_models_are_measured_on_the_same_draw() -> None:
    """Bits in proportion to characters have no spread, if a draw counts both of one sentence."""
    chars = np.arange(1.0, 51.0)
    drawn = bootstrap(0.3 * chars, chars, 500, seed=1)
    assert drawn == pytest.approx(0.3)


@pytest.mark.parametrize("which", [0, 7, 24])
def test_every_sentence_is_drawn_as_often_as_any_other(which: int) -> None:
    extra, chars = np.zeros(25), np.ones(25)
    extra[which] = 1
    drawn = bootstrap(extra, chars, 20_000, seed=1)
    assert drawn.mean() == pytest.approx(1 / 25, rel=0.03)


def test_many_draws_are_made_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    extra, chars = rng.normal(size=30), rng.integers(1, 9, 30).astype(float)
    whole = bootstrap(extra, chars, 100, seed=1)
    monkeypatch.setattr(module, "MAX_DRAWN_AT_ONCE", 7 * 30 + 3)
    assert bootstrap(extra, chars, 100, seed=1).tolist() == whole.tolist()


def test_nothing_drawn_is_left_out_of_the_interval() -> None:
    drawn = bootstrap(np.array([0.0, 1.0]), np.array([0.0, 1.0]), 200, seed=1)
    assert np.isnan(drawn).any()
    assert interval(drawn) == (1.0, 1.0)
    assert math.isclose(interval(np.arange(1001.0))[0], 25)
