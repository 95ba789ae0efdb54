"""The arithmetic that recurrent cells compute with: products with a matrix, and tanh."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float32]

# For up to so many rows, row-by-row products with a matrix are faster than one.
MAX_ROWS_ONE_BY_ONE = 6


def times(weight_NH: Array, h_BH: Array) -> Array:
    """Every row of `h` multiplied by `weight`: (B, N)."""
    rows = len(h_BH)
    if rows > MAX_ROWS_ONE_BY_ONE:
        return h_BH @ weight_NH.T
    product = np.empty((rows, len(weight_NH)), np.float32)
    for row in range(rows):  # memory-bound: BLAS is quickest at one vector after another
        np.dot(weight_NH, h_BH[row], out=product[row])
    return product


class Arithmetic:
    """NumPy's own, which is the fastest; last digits differ from machine to machine.

    A subclass may have its own idea of a matrix, and of how to multiply by it.
    """

    def matrix(self, weight_NH: Array) -> Any:
        """What `times` takes in place of the weights; made once."""
        return weight_NH

    def times(self, matrix: Any, h_BH: Array) -> Array:
        """Every row of `h` multiplied by a matrix: (B, N)."""
        return times(matrix, h_BH)

    def tanh(self, x: Array, out: Array | None = None) -> Array:
        """Hyperbolic tangents, elementwise; `out` may be `x` itself."""
        found: Array = np.tanh(x, out=out)
        return found


NUMPY = Arithmetic()
