"""Rows of words: sorted and counted as Python would, packed and unpacked."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.models.ngrams_on_disk import rows
from charlm.models.ngrams_on_disk.columns import ESCAPE
from charlm.models.ngrams_on_disk.rows import Rows


def columns(table: list[tuple[int, ...]], order: int) -> Rows:
    return [np.array([row[k] for row in table], np.uint32) for k in range(order)]


def table_of(found: Rows) -> list[tuple[int, ...]]:
    return list(zip(*(words.tolist() for words in found), strict=True))


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[tuple[int, ...]], int, int]:
    """Rows, their length, and the largest word that there may be."""
    order, largest = draw(st.integers(1, 16)), draw(st.sampled_from([1, 5, 300, 70_000, 2**24]))
    words = st.integers(0, largest) | st.integers(0, min(2, largest))
    row = st.tuples(*[words] * order)
    few = draw(st.lists(row, min_size=1, max_size=5))
    return draw(st.lists(row | st.sampled_from(few), max_size=60)), order, largest


@given(tables(), st.booleans())
def test_rows_are_sorted_and_counted(
    given_: tuple[list[tuple[int, ...]], int, int], weighted: bool
) -> None:
    table, order, largest = given_
    weights = np.arange(1, len(table) + 1) if weighted else None
    expected: Counter[tuple[int, ...]] = Counter()
    for n, row in enumerate(table, 1):
        expected[row] += n if weighted else 1
    found, counts = rows.sort(columns(table, order), largest.bit_length(), weights)
    assert dict(zip(table_of(found), counts.tolist(), strict=True)) == expected
    assert table_of(found) == sorted(expected)


@given(tables(), st.data())
def test_blocks_come_back(
    given_: tuple[list[tuple[int, ...]], int, int], data: st.DataObject
) -> None:
    table, order, largest = given_
    sorted_ = columns(sorted(set(table)), order)
    sizes = st.integers(1, 10) | st.sampled_from([ESCAPE - 1, ESCAPE, ESCAPE + 1, 10**12])
    length = len(sorted_[0])
    counts = np.array(data.draw(st.lists(sizes, min_size=length, max_size=length)), np.int64)
    block = rows.pack(sorted_, counts, rows.width(largest))
    found, times = rows.unpack(block, order, rows.width(largest))
    assert table_of(found) == table_of(sorted_)
    assert times.tolist() == counts.tolist()


def test_new_prefixes_are_those_of_the_row_before() -> None:
    found = columns([(1, 1), (1, 2), (2, 2)], 2)
    first, both = rows.new_prefixes(found)
    assert first.tolist() == [True, False, True]
    assert both.tolist() == [True, True, True]
    first, both = rows.new_prefixes(found, [1, 1])  # which continues the first row
    assert first.tolist() == [False, False, True]
    assert both.tolist() == [False, True, True]


@pytest.mark.parametrize(("largest", "size"), [(1, 1), (255, 1), (256, 2), (65_536, 3), (2**24, 4)])
def test_words_take_as_many_bytes_as_the_largest(largest: int, size: int) -> None:
    assert rows.width(largest) == size
