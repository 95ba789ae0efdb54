"""Sampling filters: temperature, top-k, top-p, and the random draw.

The filters are applied in Hugging Face's order: temperature, then top-k, then top-p. Each takes
and returns log-probabilities, (B, V) nats, rows summing to 1; an excluded token has −inf.
"""

from __future__ import annotations

import numpy as np

from ..lm import Ids, Nats
from ..models.logspace import log_softmax


def normalise(nats_BV: Nats) -> Nats:
    """Scale every row so that its probabilities sum to 1."""
    return log_softmax(nats_BV)


def apply_temperature(nats_BV: Nats, temperature: float) -> Nats:
    """p^(1/temperature), normalised. Temperature 0 leaves only the most probable token."""
    if temperature == 0:
        return apply_top_k(nats_BV, 1)
    if temperature == 1:
        return normalise(nats_BV)
    shifted = nats_BV - nats_BV.max(axis=-1, keepdims=True)
    with np.errstate(over="ignore"):  # −x / tiny is −inf, as intended
        return normalise(shifted / temperature)


def apply_top_k(nats_BV: Nats, k: int) -> Nats:
    """Keep the k most probable tokens (ties go to lower ids), normalised; 0 keeps all."""
    V = nats_BV.shape[-1]
    if k == 0 or k >= V:
        return normalise(nats_BV)
    if k == 1:
        best = nats_BV.argmax(axis=-1)[..., None]
        return np.where(np.arange(V) == best, 0.0, -np.inf)
    kth = np.partition(nats_BV, V - k, axis=-1)[..., V - k, None]
    above, equal = nats_BV > kth, nats_BV == kth
    num_ties = k - above.sum(axis=-1, keepdims=True)
    return normalise(
        np.where(above | (equal & (equal.cumsum(axis=-1) <= num_ties)), nats_BV, -np.inf)
    )


def apply_top_p(nats_BV: Nats, p: float) -> Nats:
    """Keep the smallest set of most probable tokens with mass ≥ p, normalised; 1 keeps all.

    Holtzman et al. (2020), "The Curious Case of Neural Text Degeneration". Among equally
    probable tokens those with lower ids are kept first.
    """
    nats = normalise(nats_BV)
    if p >= 1:
        return nats
    order = np.argsort(-nats, axis=-1, kind="stable")
    mass = np.exp(np.take_along_axis(nats, order, axis=-1)).cumsum(axis=-1)
    keep = np.ones(nats.shape, bool)  # a token is kept if those before it do not reach p
    np.put_along_axis(keep, order[..., 1:], mass[..., :-1] < p, axis=-1)
    return normalise(np.where(keep, nats, -np.inf))


def draw(nats_BV: Nats, draws_B: Nats) -> Ids:
    """A token for each row by inversion: the first whose cumulative probability exceeds the draw.

    `draws_B` are uniform in [0, 1). A token of probability 0 is never drawn; rows need not be
    normalised.
    """
    mass = np.exp(nats_BV).cumsum(axis=-1)
    target = draws_B[:, None] * mass[:, -1:]
    return np.asarray((mass <= target).sum(axis=-1))
