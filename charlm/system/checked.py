"""Values read from JSON or TOML, checked against types before anything uses them."""

from __future__ import annotations

import math
import reprlib
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from numbers import Real
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints, is_typeddict

T = TypeVar("T")

MAX_INT = (1 << 63) - 1  # in magnitude

WORDS: Mapping[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    Real: "a number",
    bool: "true or false",
    type(None): "nothing",
}


def checked(value: object, kind: type[T], what: str) -> T:
    """`value`, which is of the type `kind`. Raises ValueError, which begins with `what`, if not.

    kind: a class in WORDS (int allows no bool, and 63 bits; float also int, but neither NaN nor
    infinity, as Real does), a union, list[…] or dict[str, …] of such types, Any, a TypedDict, which
    may have further fields, or a dataclass, as a dict of its fields.
    """
    try:
        problem = _problem(value, kind, what)
    except RecursionError:
        problem = f"{what} is nested too deep"
    if problem:
        raise ValueError(problem)
    return cast(T, value)


def _problem(value: object, kind: Any, what: str) -> str:
    """The first thing that is wrong, or nothing."""
    origin, parts = get_origin(kind), get_args(kind)
    if kind is Any:
        return ""
    if kind in WORDS:
        return (
            "" if _is(value, kind) else f"{what} must be {WORDS[kind]}, not {reprlib.repr(value)}"
        )
    if origin in (Union, types.UnionType):
        found = [_problem(value, part, what) for part in parts]
        return "" if "" in found else found[0]
    if origin is list:
        if not isinstance(value, Sequence) or isinstance(value, str):
            return f"{what} must be a list, not {reprlib.repr(value)}"
        return _first(_problem(one, parts[0], f"{what}[{k}]") for k, one in enumerate(value))
    if not isinstance(value, Mapping):
        return f"{what} must be a table, not {reprlib.repr(value)}"
    if origin is dict:
        return _first(_problem(one, parts[1], _within(what, name)) for name, one in value.items())
    hints, needed = get_type_hints(kind), _needed(kind)
    missing = [name for name in hints if name in needed and name not in value]
    if missing:
        return f"{_within(what, missing[0])} is missing"
    unknown = [] if is_typeddict(kind) else [name for name in value if name not in hints]
    if unknown:
        return f"{_within(what, unknown[0])} is unknown"
    return _first(
        _problem(value[name], hint, _within(what, name))
        for name, hint in hints.items()
        if name in value
    )


def _within(what: str, name: str) -> str:
    """The name of a field; those of a whole file, which is called "it", stand alone."""
    return name if what == "it" else f"{what}.{name}"


def _is(value: object, kind: Any) -> bool:
    if type(value) is int and abs(value) > MAX_INT:
        return False
    if kind is float:
        return type(value) in (int, float) and math.isfinite(cast(float, value))
    if kind is Real:
        return type(value) in (int, float)
    return type(value) is kind


def _needed(kind: Any) -> frozenset[str]:
    """Names of the fields that a value must have."""
    if not is_dataclass(kind):
        names: frozenset[str] = kind.__required_keys__
        return names
    optional = (f for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING)
    return frozenset(f.name for f in optional)


def _first(problems: Iterable[str]) -> str:
    return next(filter(None, problems), "")
