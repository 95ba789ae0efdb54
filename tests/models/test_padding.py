"""Batches of sequences of different lengths."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from charlm.models import padding
from charlm.models.padding import batches


@given(st.lists(st.integers(0, 300), max_size=300))
def test_batches_waste_at_most_half(lengths: list[int]) -> None:
    groups = list(batches(lengths))
    assert sorted(i for g in groups for i in g) == [i for i, n in enumerate(lengths) if n]
    for group in groups:
        longest = lengths[group[0]]
        assert all(longest >= lengths[i] >= longest / 2 for i in group)
        assert len(group) <= padding.MAX_BATCH
