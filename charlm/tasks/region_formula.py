"""Predictions about surprisals, as test suites write them: (3;%match%) < (3;%mismatch%).

(R;%C%) is the surprisal of region R in condition C, and (*;%C%) that of the whole sentence. They
are added, subtracted, compared, and joined by & (and) and | (or), which bind less than comparisons;
brackets of both kinds group. (SyntaxGym, Gauthier et al. 2020.)
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import CharlmError

REGION = re.compile(r"[(\[]\s*(\*|\d+)\s*;\s*%([^%]*)%\s*[)\]]")
LONGEST = 10_000  # characters
NAME = re.compile("[A-Za-z_]")  # there are none but those of conditions
ARITHMETIC: dict[type, Callable[[Any, Any], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
COMPARISONS: dict[type, Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.Gt: operator.gt,
    ast.LtE: operator.le,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
WHOLE = "*"
BOOLEAN = (ast.Compare, ast.BoolOp)  # what is true or false


@dataclass(frozen=True)
class Formula:
    """A prediction, read."""

    text: str
    regions: tuple[tuple[str, str], ...]  # (region, condition) of each name r0, r1, … in `tree`
    tree: ast.expr = field(compare=False, repr=False)

    def holds(self, surprisals: Mapping[str, Mapping[str, float]]) -> bool:
        """Whether it is true of an item; surprisals: by condition and region, * for all."""
        values = {
            f"r{k}": surprisals[condition][region]
            for k, (region, condition) in enumerate(self.regions)
        }
        return bool(_value(self.tree, values))


def parse(text: str) -> Formula:
    """Read a formula. Raises CharlmError if it is not one."""
    regions: list[tuple[str, str]] = []

    def named(match: re.Match[str]) -> str:
        regions.append((match[1], match[2]))
        return f" r{len(regions) - 1} "

    if len(text) > LONGEST or NAME.search(REGION.sub("", text)):
        raise CharlmError(f"not a prediction about regions: {text[:80]!r}")
    plain = REGION.sub(named, text)
    for sign, python in (("[", "("), ("]", ")"), ("&", " and "), ("|", " or ")):
        plain = plain.replace(sign, python)
    plain = re.sub(r"(?<![<>=!])=(?!=)", "==", plain).strip()
    try:
        tree = ast.parse(plain, mode="eval").body
        _check(tree, len(regions))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise CharlmError(f"not a prediction about regions: {text[:80]!r}") from None
    if not isinstance(tree, BOOLEAN):
        raise CharlmError(f"a prediction compares regions, by < or >: {text[:80]!r}")
    return Formula(text, tuple(regions), tree)


def _check(node: ast.expr, regions: int) -> None:
    """Raise ValueError unless it consists of so many regions, numbers, and what joins them."""
    match node:
        case ast.Name(id=name) if name in {f"r{k}" for k in range(regions)}:
            parts: list[ast.expr] = []
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            parts = []
        case ast.UnaryOp(op=ast.USub(), operand=one):
            parts = [one]
        case ast.BinOp(left=one, op=joined, right=other) if type(joined) in ARITHMETIC:
            parts = [one, other]
        case ast.Compare(left=one, ops=ops, comparators=others) if {*map(type, ops)} <= {
            *COMPARISONS
        }:
            parts = [one, *others]
        case ast.BoolOp(values=values) if all(isinstance(v, BOOLEAN) for v in values):
            parts = values
        case _:
            raise ValueError
    for part in parts:
        _check(part, regions)


def _value(node: ast.expr, values: Mapping[str, float]) -> float | bool:
    match node:
        case ast.Name(id=name):
            return values[name]
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.UnaryOp(operand=one):
            return -_value(one, values)
        case ast.BinOp(left=one, op=joined, right=other):
            try:
                return ARITHMETIC[type(joined)](_value(one, values), _value(other, values))
            except (ZeroDivisionError, OverflowError):
                raise CharlmError("a prediction divides by zero: it has no truth value") from None
        case ast.Compare(left=one, ops=ops, comparators=others):
            sides = [_value(each, values) for each in (one, *others)]
            return all(
                COMPARISONS[type(op)](a, b) for op, a, b in zip(ops, sides, sides[1:], strict=False)
            )
        case ast.BoolOp(op=joined, values=parts):
            found = [bool(_value(each, values)) for each in parts]
            return all(found) if isinstance(joined, ast.And) else any(found)
        case _:
            raise ValueError(ast.dump(node))
