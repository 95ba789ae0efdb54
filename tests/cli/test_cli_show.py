"""How numbers, text and tables are shown on a terminal."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.cli import show


@given(st.floats(-1e6, 1e6))
def test_power_of_ten_reads_back(log10: float) -> None:
    parts = re.fullmatch(r"(\d\.\d)(?: × 10(.+))?", show.power_of_ten(log10))
    assert parts
    exponent = (parts[2] or "0").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    assert math.log10(float(parts[1])) + int(exponent) == pytest.approx(log10, abs=0.025)


@given(st.floats())
def test_any_number_can_be_shown(value: float) -> None:
    assert show.number(value)
    assert show.power_of_ten(value)


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_can_be_shown(text: str) -> None:
    assert len(show.one_line(text).splitlines()) <= 1
    for shown in (show.one_line(text), show.keep_lines(text), show.valid_unicode(text)):
        shown.encode("utf-8")
    assert "\x1b" not in show.keep_lines(text)


@given(st.lists(st.lists(st.text("ab 漢é", max_size=9), min_size=2, max_size=2), min_size=1))
def test_columns_are_aligned(rows: list[list[str]]) -> None:
    lines = show.columns([[*row, "|"] for row in rows], "<><")
    assert len({show.cells(line) for line in lines}) == 1
