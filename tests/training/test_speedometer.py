"""Tokens a second, of late and over all."""

from __future__ import annotations

import pytest

from charlm.training.speedometer import Speedometer


def test_a_steady_pace() -> None:
    meter = Speedometer(tokens_per_step=100)
    for k in range(1, 11):
        speed, left = meter.tick(meter.first + 0.5 * k, steps_left=20 - k)
        assert speed == pytest.approx(200)
        assert left == pytest.approx(0.5 * (20 - k))
    assert meter.overall() == pytest.approx(200)


def test_what_was_long_ago_counts_only_over_all() -> None:
    meter = Speedometer(tokens_per_step=100)
    now = meter.first
    for seconds in [10.0] * 50 + [1.0] * 60:
        now += seconds
        speed, _ = meter.tick(now, steps_left=0)
    assert speed == pytest.approx(100)
    assert meter.overall() == pytest.approx(100 * 110 / 560)
