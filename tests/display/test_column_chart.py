"""Columns as lines of text."""

from __future__ import annotations

import pytest

from charlm.display.column_chart import column_chart, spread


def test_heights_from_zero_to_one() -> None:
    assert column_chart([0, 0.25, 0.5, 1], 2) == ["   █", " ▄██"]
    assert column_chart([0, 0.25, 0.5, 1], 2, ascii=True) == ["   #", " :##"]


def test_heights_on_both_sides_of_zero() -> None:
    assert column_chart([1, 0.25, 0, -0.25, -1], 4, signed=True) == [
        "█    ",
        "█▄   ",
        "▔▔▔▀█",
        "    █",
    ]
    assert column_chart([1, 0, -0.25], 2, signed=True, ascii=True) == ["#  ", "--'"]


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("height", [-3.0, -1.0, -0.01, 0.0, 0.99, 1.0, 7.0])
def test_every_height_is_one_column(height: float, signed: bool) -> None:
    for ascii in (False, True):
        chart = column_chart([height, 0.5], 4, signed=signed, ascii=ascii)
        assert [len(line) for line in chart] == [2] * 4
        assert "".join(chart).isascii() is ascii


def test_room_is_shared() -> None:
    assert spread(2, 6) == [0, 0, None, 1, 1, None]
    assert spread(2, 5) == [0, 0, 1, 1]
    assert spread(2, 100) == [0, 0, 0, 0, 0, None, 1, 1, 1, 1, 1, None]
    assert spread(3, 3) == [0, 1, 2]
    assert spread(10, 5) == [0, 2, 4, 6, 8]
