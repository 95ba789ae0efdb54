"""Sums and normalisation of log-probabilities, without underflow or overflow."""

from __future__ import annotations

import numpy as np

from ..lm import Nats


def logsumexp(nats: Nats, axis: int = -1, *, keepdims: bool = False) -> Nats:
    """log Σ exp(nats) along an axis; −inf if all probabilities are zero."""
    top = nats.max(axis=axis, keepdims=True)
    top = np.where(np.isneginf(top), 0, top)
    with np.errstate(divide="ignore"):
        total = np.log(np.exp(nats - top).sum(axis=axis, keepdims=True)) + top
    return np.asarray(total if keepdims else np.squeeze(total, axis))


def log_softmax(values: Nats, axis: int = -1) -> Nats:
    """`values` shifted so that their probabilities sum to 1 along an axis, nats."""
    return np.asarray(values - logsumexp(values, axis, keepdims=True))
