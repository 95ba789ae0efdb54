"""The hash table finds what is in it, and nothing else, whatever is in it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.errors import CharlmError
from charlm.models import hash_table

keys = st.lists(st.integers(0, 1 << 55), unique=True, max_size=200)


@given(keys=keys, others=keys)
def test_what_is_in_it_is_found_and_nothing_else(keys: list[int], others: list[int]) -> None:
    held = np.array(keys, np.int64)
    first, second = (
        np.arange(len(keys), dtype=np.float32),
        np.float32(-1) / (1 + np.arange(len(keys))),
    )
    table = hash_table.build(held, first, second.astype(np.float32))
    hash_table.check(table)
    rows = hash_table.find(table, held)
    assert (table[rows, 0] == held).all()
    values = hash_table.values(table)[rows]
    np.testing.assert_array_equal(values[:, 0], first)
    np.testing.assert_array_equal(values[:, 1], second.astype(np.float32))
    absent = np.array([key for key in others if key not in set(keys)], np.int64)
    assert (hash_table.find(table, absent) == -1).all()
    assert len(keys) <= hash_table.FULLEST * len(table)


def test_a_table_without_an_empty_row_ends_all_the_same() -> None:
    table = np.zeros((8, 2), np.int64)
    table[:, 0] = 5
    assert hash_table.find(table, np.array([6, 5])).tolist()[0] == -1


@pytest.mark.parametrize("shape", [(6, 2), (8, 3), (1, 2), (0, 2), (8,)])
def test_impossible_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(CharlmError, match="impossible shape"):
        hash_table.check(np.zeros(shape, np.int64))
