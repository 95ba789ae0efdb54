"""Columns of numbers on disk, in pieces and in any order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.models.ngrams_on_disk import columns
from charlm.models.ngrams_on_disk.columns import Column, Counts


def test_what_is_appended_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "PIECE", 4)
    column = Column(tmp_path / "numbers", np.uint16)
    with column.written() as file:
        file.append(np.arange(5))
        file.append(np.arange(5, 10))
    assert len(column) == 10
    assert column.read(3, 6).tolist() == [3, 4, 5]
    assert column.mapped().tolist() == list(range(10))
    assert [len(piece) for piece in column.pieces()] == [4, 4, 2]
    column.remove()
    column.remove()
    assert not list(tmp_path.iterdir())


def test_an_empty_column(tmp_path: Path) -> None:
    column = Column(tmp_path / "numbers", np.float32)
    with column.written():
        pass
    assert len(column) == 0
    assert column.mapped().tolist() == column.read(0, 0).tolist() == []
    assert not list(column.pieces())


def test_pieces_are_put_in_any_order(tmp_path: Path) -> None:
    column = Column(tmp_path / "numbers", np.int64)
    column.reserve(6)
    column.put(4, np.array([4, 5]))
    column.put(0, np.array([0, 1, 2, 3]))
    column.sync()
    assert column.read(0, 6).tolist() == list(range(6))


@given(st.lists(st.integers(0, 400) | st.integers(10**9, 10**12), max_size=30), st.data())
def test_counts_of_all_sizes(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[int], data: st.DataObject
) -> None:
    counts = Counts(tmp_path_factory.mktemp("counts") / "raw")
    cut = data.draw(st.integers(0, len(numbers)))
    with counts.written() as file:
        file.append(np.array(numbers[:cut], np.int64))
        file.append(np.array(numbers[cut:], np.int64))
    start = data.draw(st.integers(0, len(numbers)))
    stop = data.draw(st.integers(start, len(numbers)))
    assert counts.read(start, stop).tolist() == numbers[start:stop]
    counts.remove()
    assert not list(counts.path.parent.iterdir())
