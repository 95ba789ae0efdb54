"""Families of models: how one is built from a file, what it is called, where others are inside it.

A family is registered once (see `families` for those of charlm); the model file, `charlm info`, the
report and the command line find it here by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from ..errors import CharlmError
from ..lm import LanguageModel
from ..system.tensor_file import Tensors

Config: TypeAlias = Mapping[str, Any]  # plain values, as a model file holds them


class Inner(NamedTuple):
    """A model inside another; its tensors' names begin with `prefix`."""

    family: str
    config: Config
    prefix: str


def nothing_inside(config: Config) -> Sequence[Inner]:
    """The models inside one that has none."""
    return ()


@dataclass(frozen=True)
class Family:
    """A kind of model."""

    name: str  # in model files
    build: Callable[[Config, Tensors, int], LanguageModel]  # of configuration, tensors, id of <EOS>
    describe: Callable[[Config], str]  # such as: LSTM 1 × 512 · embedding 64 · dropout output 0.1
    short: Callable[[Config], str] | None = None  # such as: LSTM 1 × 512; None: as `describe`
    inside: Callable[[Config], Sequence[Inner]] = nothing_inside
    numbers: str = "numbers"  # what the entries of its tensors are called


FAMILIES: dict[str, Family] = {}


def register(family: Family) -> None:
    """Make a family known to everything that opens model files."""
    FAMILIES[family.name] = family


def family_of(name: str) -> Family:
    """The family of that name. Raises CharlmError for an unknown one."""
    if name not in FAMILIES:
        raise CharlmError(f"unknown model family {name!r}: made by a newer charlm? Upgrade it")
    return FAMILIES[name]


def build(name: str, config: Config, tensors: Tensors, eos: int) -> LanguageModel:
    """The model of a family, a configuration and tensors.

    Raises CharlmError for an unknown family, and where configuration and tensors do not fit.
    """
    family = family_of(name)
    try:
        return family.build(config, tensors, eos)
    except (KeyError, TypeError, ValueError) as error:
        raise CharlmError(f"the {name} model's settings are damaged: {error!r}") from None


def build_inner(inner: Inner, tensors: Tensors, eos: int) -> LanguageModel:
    """The model `inner`, whose tensors are among those of the model around it."""
    return build(inner.family, inner.config, under(inner.prefix, tensors), eos)


def describe(name: str, config: Config) -> str:
    """A model on one line, such as: LSTM 1 × 512 · embedding 64 · dropout output 0.1."""
    return FAMILIES[name].describe(config) if name in FAMILIES else name


def short(name: str, config: Config) -> str:
    """A model in a few words, such as: LSTM 1 × 512."""
    family = FAMILIES.get(name)
    return family.short(config) if family and family.short else describe(name, config)


def under(prefix: str, tensors: Tensors) -> Tensors:
    """The tensors whose names begin with `prefix`, without it."""
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def prefixed(prefix: str, tensors: Tensors) -> Tensors:
    """The same tensors with `prefix` before their names."""
    return {f"{prefix}{name}": tensor for name, tensor in tensors.items()}
