"""The registry of model families: how each is built from a file and described.

A family is registered once (see `families` for those of charlm); the model file, `charlm info`, the
report and the command line find it here by name.
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
    """A model inside another; the names of its tensors begin with `prefix`."""

    family: str
    config: Config
    prefix: str


def no_inner_models(config: Config) -> Sequence[Inner]:
    """For families that contain no other models."""
    return ()


@dataclass(frozen=True)
class Family:
    """A kind of model."""

    name: str  # in model files
    build: Callable[
        [Config, Tensors, int], LanguageModel
    ]  # from configuration, tensors, id of <EOS>
    describe: Callable[[Config], str]  # such as: LSTM 1 × 512 · embedding 64 · dropout output 0.1
    short: Callable[[Config], str] | None = None  # such as: LSTM 1 × 512; None: as `describe`
    inner_models: Callable[[Config], Sequence[Inner]] = no_inner_models
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
    """Build a model from its family, configuration and tensors.

    Raises CharlmError for an unknown family, and if configuration and tensors do not match.
    """
    family = family_of(name)
    try:
        return family.build(config, tensors, eos)
    except RecursionError:
        raise CharlmError(f"the {name} model is nested too deep") from None
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise CharlmError(f"the {name} model's settings are damaged: {error!r}") from None


def build_inner(inner: Inner, tensors: Tensors, eos: int) -> LanguageModel:
    """Build the model `inner`, whose tensors are among those of the model that contains it."""
    return build(inner.family, inner.config, strip_prefix(inner.prefix, tensors), eos)


def describe(name: str, config: Config) -> str:
    """A model on one line, such as: LSTM 1 × 512 · embedding 64 · dropout output 0.1."""
    return FAMILIES[name].describe(config) if name in FAMILIES else name


def short(name: str, config: Config) -> str:
    """A model in a few words, such as: LSTM 1 × 512."""
    family = FAMILIES.get(name)
    return family.short(config) if family and family.short else describe(name, config)


def strip_prefix(prefix: str, tensors: Tensors) -> Tensors:
    """The tensors whose names begin with `prefix`, without it."""
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def add_prefix(prefix: str, tensors: Tensors) -> Tensors:
    """The same tensors with `prefix` before their names."""
    return {f"{prefix}{name}": tensor for name, tensor in tensors.items()}
