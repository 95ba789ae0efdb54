"""Statistics of counted decisions."""

from __future__ import annotations

import math

Z95 = 1.959963984540054  # of the normal distribution


def wilson(right: float, total: int) -> tuple[float, float]:
    """The 95 % interval of a proportion (Wilson 1927): within [0, 1], and valid for few trials."""
    if not total:
        return math.nan, math.nan
    p, n, z = right / total, total, Z95
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half_width = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, middle - half_width), min(1.0, middle + half_width)


def mcnemar(only_first: int, only_second: int) -> float:
    """The p-value of two classifiers being equally often right (McNemar 1947), exact, two-sided.

    only_first, only_second: in how many cases that one is right and the other wrong. Those are a
    sample of Binomial(n, 1/2) if neither is better.
    """
    n, fewer = only_first + only_second, min(only_first, only_second)
    if n == 0:
        return 1.0
    logs = (
        math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2)
        for k in range(fewer + 1)
    )
    return min(1.0, 2 * math.fsum(map(math.exp, logs)))
