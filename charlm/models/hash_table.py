"""A hash table of whole numbers in one array, to be mapped into memory as it is.

Open addressing with linear probing (Knuth, vol. 3, § 6.4); a row holds a key and 8 bytes of values,
so that one access to memory finds both.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import require

Table: TypeAlias = npt.NDArray[np.int64]  # (S, 2): key, and two fp32 as one number
Keys: TypeAlias = npt.NDArray[np.int64]
Values: TypeAlias = npt.NDArray[np.float32]

EMPTY = -1  # the key of an empty row
MULTIPLIER = 0x9E3779B97F4A7C15  # 2⁶⁴ / φ (Fibonacci hashing)
MASK = (1 << 64) - 1
FULLEST = 0.75  # of the rows
MAX_PROBES = 1 << 12  # rows that a key can be away from where it is looked for first


def build(keys_K: Keys, first_K: Values, second_K: Values) -> Table:
    """A table of different keys ≥ 0, with two values each."""
    size = 1 << max(1, int(np.ceil(np.log2(max(1, len(keys_K)) / FULLEST))))
    while (table := _filled(keys_K, first_K, second_K, size)) is None:
        size *= 2
    return table


def _filled(keys_K: Keys, first_K: Values, second_K: Values, size: int) -> Table | None:
    """A table of that size; None if some key is too far from its place."""
    table = np.zeros((size, 2), np.int64)
    table[:, 0] = EMPTY
    rows = np.zeros(len(keys_K), np.int64)
    pending = np.arange(len(keys_K))
    wanted = first_rows(keys_K, size)
    for _ in range(MAX_PROBES):
        if not len(pending):
            break
        free = table[wanted, 0] == EMPTY
        _, firsts = np.unique(np.where(free, wanted, -1), return_index=True)
        won = firsts[free[firsts]]  # of several that want the same row, one
        table[wanted[won], 0] = keys_K[pending[won]]
        rows[pending[won]] = wanted[won]
        left = np.ones(len(pending), bool)
        left[won] = False
        pending, wanted = pending[left], (wanted[left] + 1) & (size - 1)
    if len(pending):
        return None
    both = np.stack([first_K, second_K], axis=1).astype(np.float32)
    table[rows, 1] = both.view(np.int64)[:, 0]
    return table


def first_rows(keys: Keys, size: int) -> Keys:
    """The rows in which keys are looked for first, of a table of `size` rows."""
    shift = np.uint64(64 - (size.bit_length() - 1))
    hashed = keys.astype(np.uint64) * np.uint64(MULTIPLIER)
    return np.asarray(hashed >> shift, np.int64)


def find(table: Table, keys: Keys) -> Keys:
    """The rows of keys (N,), or −1 for those that are not in the table."""
    size = len(table)
    found = np.full(len(keys), EMPTY, np.int64)
    pending = np.arange(len(keys))
    rows, wanted = first_rows(keys, size), keys
    for _ in range(MAX_PROBES):
        if not len(pending):
            break
        held = table[rows, 0]
        hit = held == wanted
        found[pending[hit]] = rows[hit]
        on = ~hit & (held != EMPTY)
        pending, wanted = pending[on], wanted[on]
        rows = (rows[on] + 1) & (size - 1)
    return found


def values(table: Table) -> Values:
    """(S, 2) the values of every row, without copying."""
    return table.view(np.float32).reshape(len(table), 4)[:, 2:]


def check(table: Table) -> None:
    """Raise CharlmError if an array cannot be a table. Look-ups end whatever it contains."""
    size = len(table)
    require(
        table.ndim == 2
        and table.shape[1] == 2
        and table.dtype == np.int64
        and size >= 2
        and size & (size - 1) == 0
        and table.flags.aligned,
        "a table of the n-gram model has an impossible shape: the model file is damaged",
    )
