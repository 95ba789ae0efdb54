"""Values of a file against the types they should have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypedDict

import pytest

from charlm.system.checked import checked


class _Named(TypedDict):
    name: str


class Entry(_Named, total=False):
    sizes: list[int]
    share: float
    column: str | int
    more: dict[str, Entry]
    anything: Any


@dataclass
class Count:
    step: int
    best: float | None = None
    seen: list[float] = field(default_factory=list)


@pytest.mark.parametrize(
    "value",
    [
        {"name": "a"},
        {"name": "", "sizes": [], "share": 1, "column": 3, "unknown": object()},
        {"name": "a", "sizes": [1, 2], "share": 0.5, "column": "c", "anything": None},
        {"name": "a", "more": {"b": {"name": "c"}}},
    ],
)
def test_what_fits_is_returned(value: object) -> None:
    assert checked(value, Entry, "it") is value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], r"it must be a table, not \[\]"),
        ({}, r"name is missing"),
        ({"name": 3}, r"name must be text, not 3"),
        ({"name": "a", "sizes": 3}, r"sizes must be a list, not 3"),
        ({"name": "a", "sizes": "33"}, r"sizes must be a list, not '33'"),
        ({"name": "a", "sizes": [1, True]}, r"sizes\[1\] must be a whole number, not True"),
        ({"name": "a", "sizes": [1.0]}, r"sizes\[0\] must be a whole number"),
        ({"name": "a", "share": float("nan")}, r"share must be a number, not nan"),
        ({"name": "a", "share": float("inf")}, r"share must be a number, not inf"),
        ({"name": "a", "share": False}, r"share must be a number, not False"),
        ({"name": "a", "column": None}, r"column must be text, not None"),
        ({"name": "a", "more": {"b": {}}}, r"more\.b\.name is missing"),
        ({"name": ["x" * 10_000]}, r"^name must be text, not .{1,60}$"),
    ],
)
def test_the_first_thing_that_does_not_fit_is_named(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checked(value, Entry, "it")


def test_a_dataclass_is_a_table_of_its_fields_and_no_others() -> None:
    assert checked({"step": 1, "best": None, "seen": [1, 0.5]}, Count, "it")
    for wrong, message in (
        ({"best": 1.0}, "step is missing"),
        ({"step": 1, "best": "x"}, "best must be a number"),
        ({"step": 1, "odd": 1}, "odd is unknown"),
    ):
        with pytest.raises(ValueError, match=message):
            checked(wrong, Count, "it")


def test_whole_numbers_have_63_bits() -> None:
    for value in (2**63 - 1, 1 - 2**63):
        assert checked(value, int, "it") == value
        assert checked(value, float, "it") == value
    for kind in (int, float):
        with pytest.raises(ValueError, match=r"^it must be a (whole )?number, not 9223"):
            checked(2**63, kind, "it")


def test_what_is_nested_too_deep() -> None:
    value: dict[str, Any] = {"name": "x"}
    for _ in range(100_000):
        value = {"name": "x", "more": {"a": value}}
    with pytest.raises(ValueError, match=r"^file is nested too deep$"):
        checked(value, Entry, "file")
    while "more" in value:  # else its own end would be too deep
        value = value["more"]["a"]
