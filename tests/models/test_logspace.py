"""Sums of probabilities kept as logarithms."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from charlm.models.logspace import log_softmax, logsumexp


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=9), st.floats(-1e4, 1e4))
def test_a_shift_goes_through(values: list[float], shift: float) -> None:
    nats = np.array(values)
    np.testing.assert_allclose(logsumexp(nats + shift), logsumexp(nats) + shift, rtol=1e-9)
    np.testing.assert_allclose(np.exp(log_softmax(nats)).sum(), 1)


def test_zeros_and_axes() -> None:
    nats = np.log(np.array([[0.25, 0.5], [0.75, 0.5]], np.float64))
    np.testing.assert_allclose(logsumexp(nats, axis=0), 0, atol=1e-15)
    np.testing.assert_allclose(np.exp(logsumexp(nats, axis=1)), [0.75, 1.25])
    assert logsumexp(nats, axis=1, keepdims=True).shape == (2, 1)
    assert logsumexp(np.array([-np.inf, -np.inf])) == -np.inf
    assert logsumexp(np.array([-np.inf, -3.0])) == -3.0
