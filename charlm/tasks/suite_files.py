"""Test suites from SyntaxGym's JSON, checked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import CharlmError
from ..text.source import open_lines
from .region_formula import WHOLE, parse
from .suites import METRICS, Item, Suite


def read_file(path: str | Path, *, encoding: str = "utf-8", errors: str = "strict") -> Suite:
    """A test suite from a file ("-": standard input). Raises CharlmError if it is not one."""
    with open_lines(path, encoding, errors) as (name, lines):
        try:
            value = json.loads("\n".join(lines))
        except (ValueError, RecursionError):
            raise CharlmError(
                f"{name} is not valid JSON: a test suite is one JSON object"
            ) from None
        return read(value, name)


def read(value: Any, name: str) -> Suite:
    """A test suite from the value of its JSON; name: for messages.

    {"meta": {"name": …, "metric": "sum"}, "region_meta": {"1": …}, "predictions": [{"formula": …}],
    "items": [{"item_number": 1, "conditions": [{"condition_name": …, "regions":
    [{"region_number": 1, "content": …}, …]}, …]}, …]}
    """
    whole = _Part(value, name)
    meta = whole.part("meta", default={})
    metric = _metric(meta.get("metric", "sum"), name)
    items = tuple(_item(one, number) for number, one in enumerate(whole.parts("items"), 1))
    first = items[0].conditions
    sizes = {len(regions) for item in items for regions in item.conditions.values()}
    for item in items:
        if item.conditions.keys() != first.keys():
            raise CharlmError(f"{name}: item {item.number} has other conditions than the first")
    numbers_of_items = [item.number for item in items]
    if len(set(numbers_of_items)) < len(items):
        twice = next(n for n in numbers_of_items if numbers_of_items.count(n) > 1)
        raise CharlmError(f"{name}: several items have the number {twice}")
    if len(sizes) > 1:
        raise CharlmError(f"{name}: conditions must have the same number of regions: {sizes}")
    count = sizes.pop()
    numbers = {str(k) for k in range(1, count + 1)}
    formulas = []
    for one in whole.parts("predictions", default=[]):
        formula = parse(one.text("formula"))
        for region, condition in formula.regions:
            if condition not in first or region not in numbers | {WHOLE}:
                raise CharlmError(
                    f"{name}: the prediction {formula.text[:80]!r} names ({region};%{condition}%). "
                    f"Conditions: {', '.join(first)}; regions: 1 to {count}"
                )
        formulas.append(formula)
    names = whole.part("region_meta", default={})
    regions = tuple(str(names.get(str(k), k)) for k in range(1, count + 1))
    title = str(meta.get("name", Path(name).stem))
    return Suite(title, metric, regions, tuple(formulas), items)


def _metric(given: Any, name: str) -> str:
    """The metric to use; where several are given, the sum."""
    several = given if isinstance(given, list) else [given]
    known = [one for one in several if isinstance(one, str) and (one in METRICS or one == "all")]
    if not several or len(known) < len(several):
        raise CharlmError(f"{name}: the metric is not one of {', '.join(METRICS)}")
    return known[0] if len(known) == 1 and known[0] != "all" else "sum"


class _Part:
    """A JSON object of a suite, and where it is for messages."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise CharlmError(f"{where}: a JSON object should stand here")
        self.value, self.where = value, where

    def get(self, key: str, default: Any) -> Any:
        return self.value.get(key, default)

    def part(self, key: str, default: Any = None) -> _Part:
        return _Part(self.value.get(key, default), f"{self.where}, {key}")

    def parts(self, key: str, default: Any = None) -> Sequence[_Part]:
        """The objects of a list. Raises CharlmError if it is not one, or empty with no default."""
        found = self.value.get(key, default)
        if not isinstance(found, list) or not (found or default is not None):
            raise CharlmError(f"{self.where}: {key} should be a list with something in it")
        return [_Part(one, f"{self.where}, {key} {k}") for k, one in enumerate(found, 1)]

    def text(self, key: str) -> str:
        found = self.value.get(key)
        if not isinstance(found, str):
            raise CharlmError(f"{self.where}: {key} should be text")
        return found


def _item(part: _Part, number: int) -> Item:
    conditions: dict[str, tuple[str, ...]] = {}
    for one in part.parts("conditions"):
        name = one.text("condition_name")
        if name in conditions:
            raise CharlmError(f"{part.where}: the condition {name!r} occurs twice")
        regions = one.parts("regions")
        for place, region in enumerate(regions, 1):
            if region.get("region_number", place) != place:
                raise CharlmError(f"{region.where}: region_number is not {place}, its place")
        texts = [" ".join(region.text("content").split()) for region in regions]
        if not any(texts):
            raise CharlmError(f"{one.where}: all regions are empty")
        conditions[name] = tuple(texts)
    return Item(str(part.get("item_number", number)), conditions)
