"""Statistics of counted decisions, against published values and by brute force."""

from __future__ import annotations

from itertools import product

import pytest

from charlm.tasks.proportions import mcnemar, wilson


def test_wilson_s_interval() -> None:
    # Newcombe 1998, table I, method 3: 81 of 263, and 0 of 20
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


@pytest.mark.parametrize(("b", "c"), [(0, 0), (1, 0), (5, 2), (3, 3), (0, 9), (8, 1)])
def test_mcnemar_counts_all_outcomes_as_far_from_even(b: int, c: int) -> None:
    outcomes = [sum(coins) for coins in product((0, 1), repeat=b + c)]
    far = sum(abs(2 * heads - (b + c)) >= abs(b - c) for heads in outcomes)
    assert mcnemar(b, c) == mcnemar(c, b) == pytest.approx(far / len(outcomes))


def test_mcnemar_of_many() -> None:
    assert mcnemar(10_000, 10_000) == 1.0
    assert 0 < mcnemar(500, 700) < 1e-7
