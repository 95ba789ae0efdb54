"""Arithmetic whose every bit is the same on every machine, with any number of rows and threads.

A file is read back only if the reader finds the very probabilities that the writer had. Sums, the
products and quotients of two numbers and square roots are rounded alike everywhere (IEEE 754), but
a product of matrices depends on the order in which it is summed, and exp, log and tanh on the
library. So here

- a product of matrices is one of whole numbers, small enough for float32 to hold every sum of them
  exactly, in whatever order it is made;
- exp, log and tanh are made of sums, products and quotients.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..errors import CharlmError
from ..models.arithmetic import Arithmetic, Array, times

Doubles = npt.NDArray[np.float64]

LEVELS = 127  # of a weight on either side of 0
EXACT = 1 << 24  # float32 holds every whole number up to this
CHUNK = 1 << 15  # numbers at a time, so that they stay in the processor's cache
LARGEST_TANH = 5.0  # beyond it tanh is taken as that of 5
LOG2_E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 0.693359375, -2.121944400546905829e-4  # the first times k is exact
EXP_TERMS = (1 / 720, 1 / 120, 1 / 24, 1 / 6, 1 / 2, 1, 1)
LOG_TERMS = tuple(2 / n for n in range(17, 0, -2))
LN2 = 0.6931471805599453
SMALLEST_EXP = -87.0  # of which float32 still holds the exponential


class WholeMatrix:
    """A matrix (N, K) in whole numbers from −127 to 127, with a unit for each row."""

    def __init__(self, weight_NK: Array) -> None:
        self.shape = weight_NK.shape
        self.whole_NK, self.unit_N = rounded(weight_NK)
        sums_N = np.abs(self.whole_NK).sum(axis=1, dtype=np.float64)
        self.largest = np.float32(max(1, EXACT // int(max(1, sums_N.max(initial=0))) - 1))

    def times(self, h_BK: Array) -> Array:
        """Every row of `h`, rounded to whole numbers, multiplied by the matrix: (B, N)."""
        size_B1 = np.abs(h_BK).max(axis=1, keepdims=True, initial=0)
        above_B1 = np.ldexp(np.ones_like(size_B1), np.frexp(size_B1)[1])  # a power of two
        whole_BK = h_BK * (self.largest / above_B1)
        found = times(self.whole_NK, np.rint(whole_BK, out=whole_BK))
        found *= above_B1 / self.largest
        found *= self.unit_N
        return found


def rounded(weight_NK: Array, levels: int = LEVELS) -> tuple[Array, Array]:
    """The weights as whole numbers, (N, K), and a unit for each row, (N,), both float32."""
    size_N = np.abs(weight_NK).max(axis=1, initial=0)
    unit_N = np.where(size_N > 0, size_N, np.float32(1)) / np.float32(levels)
    return np.rint(weight_NK / unit_N[:, None]).astype(np.float32), unit_N.astype(np.float32)


class PortableArithmetic(Arithmetic):
    """What recurrent cells compute with, the same everywhere. Weights are rounded to 8 bits."""

    def matrix(self, weight_NH: Array) -> WholeMatrix:
        """The matrix in whole numbers."""
        return WholeMatrix(weight_NH)

    def times(self, matrix: WholeMatrix, h_BH: Array) -> Array:
        """Every row of `h` multiplied by a matrix: (B, N)."""
        return matrix.times(h_BH)

    def tanh(self, x: Array, out: Array | None = None) -> Array:
        """Hyperbolic tangents to 1e-4, elementwise; `out` may be `x` itself.

        tanh x = x / (1 + x² / (3 + x² / (5 + …))), seven levels deep (Lambert 1770)
        """
        out = np.empty_like(x) if out is None else out
        rows = max(1, CHUNK // max(1, x.shape[-1]))
        for row in range(0, len(x), rows):
            _tanh(x[row : row + rows], out[row : row + rows])
        return out


def _tanh(x: Array, out: Array) -> None:
    x = np.clip(x, -LARGEST_TANH, LARGEST_TANH)
    square = x * x
    above = square + np.float32(378)
    for term in (17325, 135135):
        above *= square
        above += np.float32(term)
    above *= x
    below = square * np.float32(28)
    for term in (3150, 62370):
        below += np.float32(term)
        below *= square
    below += np.float32(135135)
    np.divide(above, below, out=out)


def exp(x: Array) -> Array:
    """e^x to 2e-7 of it, elementwise, for x up to 88; of x below −87 that of −87.

    e^x = 2^k e^r,  r = x − k ln 2,  |r| ≤ (ln 2) / 2
    """
    x = np.maximum(x, np.float32(SMALLEST_EXP))
    k = np.rint(x * np.float32(LOG2_E))
    r = x - k * np.float32(LN2_HIGH)
    r -= k * np.float32(LN2_LOW)
    found = np.full_like(r, EXP_TERMS[0])
    for term in EXP_TERMS[1:]:
        found *= r
        found += np.float32(term)
    return np.asarray(np.ldexp(found, k.astype(np.int32)))


def log(x: Doubles) -> Doubles:
    """ln x, elementwise, for x > 0.

    ln x = k ln 2 + 2 (s + s³/3 + s⁵/5 + …),  s = (m − 1) / (m + 1),  x = 2^k m,  √½ ≤ m < √2
    """
    m, k = np.frexp(x)
    small = m < 0.7071067811865476
    m = np.where(small, 2 * m, m)
    k = k - small
    s = (m - 1) / (m + 1)
    square = s * s
    found = np.full_like(s, LOG_TERMS[0])
    for term in LOG_TERMS[1:]:
        found *= square
        found += term
    return np.asarray(found * s + k * LN2)


def check() -> None:
    """Raise CharlmError if this machine does not add up whole numbers exactly."""
    rng = np.random.default_rng(0)
    for K in (1, 17, 512):
        matrix = WholeMatrix(rng.standard_normal((33, K)).astype(np.float32))
        h = rng.integers(-int(matrix.largest), int(matrix.largest) + 1, (65, K))
        exact = h @ matrix.whole_NK.astype(np.int64).T
        for B in (1, 65):
            if not np.array_equal(times(matrix.whole_NK, h[:B].astype(np.float32)), exact[:B]):
                raise CharlmError(
                    "this machine's products of matrices are less exact than float32 is elsewhere: "
                    "what it compressed, no other could read"
                )


PORTABLE = PortableArithmetic()
