"""Sampling filters: temperature, top-k, top-p, min-p, typical, and the random draw.

The filters are applied in Hugging Face's order, which is the one above. Each takes and returns
log-probabilities, (B, V) nats, rows summing to 1; an excluded token has −inf.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..errors import require
from ..lm import Ids, Nats
from ..models.logspace import log_softmax


@dataclass(frozen=True)
class Filters:
    """All filters, in order; those left at their defaults are not applied.

    Raises CharlmError for a setting out of range.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    typical: float = 1.0

    def __post_init__(self) -> None:
        require(
            0 <= self.temperature < math.inf,
            "`temperature` must be 0 (always the most probable) or positive, "
            f"not {self.temperature}",
        )
        require(self.top_k >= 0, f"`top_k` must be 0 (no limit) or positive, not {self.top_k}")
        for name in ("top_p", "typical"):
            p = getattr(self, name)
            require(0 < p <= 1, f"`{name}` must be above 0 and at most 1, not {p}")
        require(0 <= self.min_p <= 1, f"`min_p` must be from 0 to 1, not {self.min_p}")

    def __call__(self, nats_BV: Nats) -> Nats:
        """(B, V) what to draw from; the rows of either need not be normalised."""
        if self.temperature != 1:
            nats_BV = apply_temperature(nats_BV, self.temperature)
        if self.top_k:
            nats_BV = apply_top_k(nats_BV, self.top_k)
        if self.top_p < 1:
            nats_BV = apply_top_p(nats_BV, self.top_p)
        if self.min_p:
            nats_BV = apply_min_p(nats_BV, self.min_p)
        if self.typical < 1:
            nats_BV = apply_typical(nats_BV, self.typical)
        return nats_BV


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
    return nats if p >= 1 else _keep_mass(nats, -nats, p)


def apply_min_p(nats_BV: Nats, p: float) -> Nats:
    """Keep tokens at least p times as probable as the most probable one, normalised; 0 keeps all.

    Nguyen et al. (2025), "Turning Up the Heat: Min-p Sampling for Creative and Coherent LLM
    Outputs".
    """
    if p == 0:
        return normalise(nats_BV)
    least = nats_BV.max(axis=-1, keepdims=True) + math.log(p)
    return normalise(np.where(nats_BV >= least, nats_BV, -np.inf))


def apply_typical(nats_BV: Nats, p: float) -> Nats:
    """Keep the smallest set of typical tokens with mass ≥ p, normalised; 1 keeps all.

    Typical are those whose information −log P is closest to its expectation, the entropy: Meister
    et al. (2023), "Locally Typical Sampling". Ties go to lower ids.
    """
    nats = normalise(nats_BV)
    if p >= 1:
        return nats
    distance = np.abs(-nats - entropy(nats)[..., None])
    return _keep_mass(nats, distance, p)


def entropy(nats_BV: Nats) -> Nats:
    """(B,) the entropy of normalised rows, nats."""
    with np.errstate(invalid="ignore"):  # −inf · 0
        terms = nats_BV * np.exp(nats_BV)
    return np.asarray(-np.where(np.isneginf(nats_BV), 0.0, terms).sum(axis=-1))


def _keep_mass(nats_BV: Nats, rank_BV: Nats, p: float) -> Nats:
    """Keep the fewest tokens, by increasing `rank_BV`, with mass ≥ p, normalised."""
    order = np.argsort(rank_BV, axis=-1, kind="stable")
    mass = np.exp(np.take_along_axis(nats_BV, order, axis=-1)).cumsum(axis=-1)
    keep = np.ones(nats_BV.shape, bool)  # a token is kept if those before it do not reach p
    np.put_along_axis(keep, order[..., 1:], mass[..., :-1] < p, axis=-1)
    return normalise(np.where(keep, nats_BV, -np.inf))


def draw(nats_BV: Nats, draws_B: Nats) -> Ids:
    """A token for each row by inversion: the first whose cumulative probability exceeds the draw.

    `draws_B` are uniform in [0, 1). A token of probability 0 is never drawn; rows need not be
    normalised. Raises CharlmError for a row without any probability.
    """
    mass = np.exp(nats_BV).cumsum(axis=-1)
    total = mass[:, -1]
    require(
        bool(((total > 0) & np.isfinite(total)).all()),
        "the model gives no token a probability here: its file is damaged",
    )
    target = draws_B[:, None] * mass[:, -1:]
    return np.asarray((mass <= target).sum(axis=-1))
