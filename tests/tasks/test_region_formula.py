"""Formulas of test suites mean what they say, and nothing else is one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.errors import CharlmError
from charlm.tasks.region_formula import parse

VALUES = {"a": {"1": 1.0, "2": 5.0, "*": 6.0}, "b x-y": {"1": 2.0, "2": 3.0, "*": 5.0}}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("(1;%a%) < (1;%b x-y%)", True),
        ("(1;%a%) > (1;%b x-y%)", False),
        ("( 2 ; %a% )>[2;%b x-y%]", True),
        ("(1;%a%) + (2;%a%) = (*;%a%)", True),
        ("[(2;%a%) - (1;%a%)] > [(2;%b x-y%) - (1;%b x-y%)]", True),
        ("((2;%a%) - (1;%a%)) - ((2;%b x-y%) - (1;%b x-y%)) <= 2", False),
        ("(1;%a%) < (1;%b x-y%) & (2;%a%) < (2;%b x-y%)", False),
        ("(1;%a%) < (1;%b x-y%) | (2;%a%) < (2;%b x-y%)", True),
        ("(1;%a%) < 1.5 & ((2;%a%) > 9 | (2;%a%) != 2)", True),
        ("(1;%a%) < (1;%b x-y%) < (2;%a%)", True),
        ("-(1;%a%) > -(1;%b x-y%)", True),
        ("(2;%a%) / (1;%a%) >= 5 * 1", True),
    ],
)
def test_formulas(text: str, holds: bool) -> None:
    assert parse(text).holds(VALUES) == holds


@pytest.mark.parametrize(
    "text",
    [
        *("", "(1;%a%)", "(1;%a%) +", "(1;%a%) < x", "1 < (lambda: 2)()", "__import__('os') > 1"),
        *("(1;%a%) < 'x'", "(1;%a%) < True", "(1;%a%) is 1", "[x for x in y] > 2", "r0 < 1; r0"),
        *("(1;%a%) < (1;%a%).real", "(" * 5000 + "(1;%a%) < 1" + ")" * 5000),
    ],
)
def test_what_is_no_formula(text: str) -> None:
    with pytest.raises(CharlmError, match=r"prediction"):
        parse(text)


def test_a_name_alone_is_not_a_region() -> None:
    with pytest.raises(CharlmError, match="prediction"):
        parse("r7 < (1;%a%)")


@given(st.text("(1;%a%)<>&|[]+-*= r0", max_size=40))
def test_any_text_is_a_formula_or_an_error(text: str) -> None:
    try:
        formula = parse(text)
    except CharlmError:
        return
    assert formula.holds({"a": {"1": 1.0}}) in (True, False)
