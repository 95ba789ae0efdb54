"""The language that has to be counted: n times a, n times b."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from charlm.lab import counter


@given(st.lists(st.integers(1, 12), min_size=1, max_size=5))
def test_the_counter_counts_what_is_certain(numbers: list[int]) -> None:
    task = counter.task(numbers)
    for row, n in enumerate(numbers):
        own = task.counts_TB[:, row]
        assert task.x_TB[own, row].tolist() == [counter.B] * n
        assert task.y_TB[own, row].tolist() == [counter.B] * (n - 1) + [0]
        assert task.x_TB[:n, row].tolist() == [counter.A] * n
