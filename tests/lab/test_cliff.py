"""Pascanu's error surface: its gradient against finite differences, and descents on it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.errors import CharlmError
from charlm.lab import cliff

weights, biases = st.floats(3, 5.5), st.floats(-4, 0)


@given(weights, biases, st.integers(1, 20))
def test_the_gradient_agrees_with_finite_differences(w: float, b: float, steps: int) -> None:
    h = 1e-6

    def at(w: float, b: float) -> float:
        return float(cliff.error(np.array(w), np.array(b), steps)[0])

    _, by_w, by_b = cliff.error(np.array(w), np.array(b), steps)
    assert float(by_w) == pytest.approx((at(w + h, b) - at(w - h, b)) / (2 * h), rel=1e-3, abs=1e-6)
    assert float(by_b) == pytest.approx((at(w, b + h) - at(w, b - h)) / (2 * h), rel=1e-3, abs=1e-6)


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(0.01, 10))
def test_a_clipped_gradient_is_no_longer_than_allowed(w: float, b: float, at: float) -> None:
    gradient = np.array([w, b])
    plain, norm, values = (cliff.clipped(gradient, kind, at) for kind in cliff.KINDS)
    assert plain is gradient
    assert np.linalg.norm(norm) <= at * (1 + 1e-12)
    assert float(np.cross([*norm, 0], [*gradient, 0])[2]) == pytest.approx(0, abs=1e-9)  # parallel
    assert np.abs(values).max() <= at
    if np.linalg.norm(gradient) <= at:
        assert norm.tolist() == values.tolist() == gradient.tolist()


def test_clipping_by_the_norm_arrives_where_plain_descent_is_thrown_out() -> None:
    found = cliff.experiment()
    plain, norm, _ = (found.of_kind(kind) for kind in cliff.KINDS)
    assert sum(one.arrived for one in norm) == 10 > sum(one.arrived for one in plain)
    assert max(one.longest_step for one in norm) <= cliff.LEARNING_RATE * cliff.CLIP_AT + 1e-12
    thrown, held, _ = found.typical
    assert thrown.path[0] == held.path[0]
    assert thrown.longest_step == max(one.longest_step for one in plain) > 1
    assert found == cliff.experiment()
    assert found.descents != cliff.experiment(seed=2).descents


def test_what_cannot_be_asked() -> None:
    wrongs: list[dict[str, Any]] = [{"beginnings": 0}, {"steps": 0}, {"rate": 0.0}, {"clip": -1.0}]
    wrongs += [
        {name: number} for name in ("rate", "clip") for number in (math.nan, math.inf, 1e308)
    ]
    for wrong in wrongs:
        with pytest.raises(CharlmError, match="must be"):
            cliff.experiment(**wrong)
