"""Arithmetic that is the same everywhere: exact where it says so, and close enough to the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.compression import portable_arithmetic
from charlm.compression.portable_arithmetic import (
    EXACT,
    PORTABLE,
    WholeMatrix,
    check,
    exp,
    log,
    rounded,
)
from charlm.errors import CharlmError


@given(
    N=st.integers(1, 40), K=st.integers(1, 600), B=st.integers(1, 12), seed=st.integers(0, 1 << 20)
)
def test_products_are_exact(N: int, K: int, B: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weight = rng.standard_normal((N, K)).astype(np.float32) * np.float32(rng.lognormal(0, 3))
    h = (rng.standard_normal((B, K)) * rng.lognormal(0, 3, (B, 1))).astype(np.float32)
    matrix = WholeMatrix(weight)
    found = matrix.times(h)
    above = np.exp2(np.ceil(np.log2(np.abs(h).max(axis=1, keepdims=True)))).astype(np.float32)
    whole = np.rint(h * (matrix.largest / above)).astype(np.int64)
    exact = whole @ matrix.whole_NK.astype(np.int64).T
    assert np.abs(exact).max() < EXACT
    assert np.abs(whole).max() * np.abs(matrix.whole_NK).sum(axis=1).max() <= EXACT
    scaled = exact.astype(np.float32) * (above / matrix.largest) * matrix.unit_N
    np.testing.assert_array_equal(found, scaled)
    close = np.abs(weight).max(axis=1) * np.abs(h).max(axis=1, keepdims=True) * np.sqrt(K)
    assert (np.abs(found - h @ weight.T) <= 0.1 * close).all()


def test_the_rows_of_a_product_do_not_depend_on_each_other() -> None:
    rng = np.random.default_rng(1)
    matrix = WholeMatrix(rng.standard_normal((130, 300)).astype(np.float32))
    h = rng.standard_normal((40, 300)).astype(np.float32)
    alone = np.concatenate([matrix.times(h[b : b + 1]) for b in range(40)])
    np.testing.assert_array_equal(matrix.times(h), alone)
    order = rng.permutation(300)  # of the sum
    turned = WholeMatrix(np.ascontiguousarray((matrix.whole_NK * 1.0)[:, order]))
    turned.unit_N = matrix.unit_N
    np.testing.assert_array_equal(turned.times(h[:, order]), matrix.times(h))


def test_nothing_is_lost_of_nothing() -> None:
    matrix = WholeMatrix(np.zeros((3, 5), np.float32))
    assert not matrix.times(np.ones((2, 5), np.float32)).any()
    assert not WholeMatrix(np.ones((3, 5), np.float32)).times(np.zeros((2, 5), np.float32)).any()


def test_weights_are_rounded_to_their_levels() -> None:
    weight = np.array([[0.5, -1.27, 0.014]], np.float32)
    whole, unit = rounded(weight)
    np.testing.assert_array_equal(whole, [[50, -127, 1]])
    np.testing.assert_allclose(unit, [0.01])
    np.testing.assert_array_equal(rounded(weight, 2)[0], [[1, -2, 0]])


def test_tanh() -> None:
    x = np.linspace(-30, 30, 200_001, dtype=np.float32)[:, None]
    found = PORTABLE.tanh(x)
    np.testing.assert_allclose(found, np.tanh(x.astype(np.float64)), atol=1.1e-4)
    np.testing.assert_array_equal(found, -PORTABLE.tanh(-x))
    assert np.diff(found[:, 0]).min() > -1e-6
    again = x.copy()
    assert PORTABLE.tanh(again, out=again) is again
    np.testing.assert_array_equal(again, found)


def test_tanh_of_a_part_of_an_array() -> None:
    x = np.random.default_rng(0).standard_normal((50, 30)).astype(np.float32)
    expected = PORTABLE.tanh(x[:, 7:])
    PORTABLE.tanh(x[:, 7:], out=x[:, 7:])
    np.testing.assert_array_equal(x[:, 7:], expected)


def test_exp() -> None:
    x = np.linspace(-87, 88, 300_001, dtype=np.float32)
    np.testing.assert_allclose(exp(x), np.exp(x.astype(np.float64)), rtol=3e-7)
    low = exp(np.array([-87, -88, -1000, -np.inf], np.float32))
    assert (low == low[0]).all()
    assert exp(np.zeros(1, np.float32)) == 1


def test_log() -> None:
    x = np.exp(np.linspace(-600, 600, 100_001))
    np.testing.assert_allclose(log(x), np.log(x), rtol=1e-14, atol=1e-15)
    assert log(np.ones(1)) == 0


def test_this_machine_adds_up_exactly() -> None:
    check()


def test_a_machine_that_does_not_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def rough(weight: np.ndarray, h: np.ndarray) -> np.ndarray:
        product = h @ weight.T
        return product.astype(np.float16).astype(np.float32)  # type: ignore[no-any-return]

    monkeypatch.setattr(portable_arithmetic, "times", rough)
    with pytest.raises(CharlmError, match="less exact"), np.errstate(over="ignore"):
        check()
