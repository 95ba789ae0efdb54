"""The bootstrap: how much a ratio would change with other sentences (Efron 1979; Koehn 2004)."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

RESAMPLES = 10_000
MAX_DRAWN_AT_ONCE = 1 << 22  # sentences resampled at a time

Numbers: TypeAlias = npt.NDArray[np.float64]


def bootstrap(amounts_N: Numbers, sizes_N: Numbers, resamples: int, seed: int) -> Numbers:
    """Σ amounts / Σ sizes of N sentences drawn with replacement, for each of `resamples` draws.

    NaN where the sizes drawn sum to 0.
    """
    rng, N = np.random.default_rng(seed), len(amounts_N)
    ratios: list[Numbers] = []
    rows = max(1, MAX_DRAWN_AT_ONCE // N)
    for first in range(0, resamples, rows):
        drawn = rng.integers(N, size=(min(rows, resamples - first), N))
        sizes = sizes_N[drawn].sum(axis=1)
        sums = amounts_N[drawn].sum(axis=1)
        ratios.append(np.divide(sums, sizes, out=np.full(len(sums), np.nan), where=sizes > 0))
    return np.concatenate(ratios)


def interval(drawn: Numbers) -> tuple[float, float]:
    """The 95 % interval of what a bootstrap has drawn."""
    known = drawn[~np.isnan(drawn)]
    if not len(known):
        return math.nan, math.nan
    low, high = np.quantile(known, [0.025, 0.975])
    return float(low), float(high)
