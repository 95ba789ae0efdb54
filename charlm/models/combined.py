"""What models made of other models have in common: the states of all parts, and the model file."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ..errors import CharlmError, require
from ..lm import Ids, LanguageModel, Nats, SequentialLM, State, causal
from ..system.checked import checked
from ..system.tensor_file import Tensors
from .causal import CausalModel
from .family import Config, Inner, build_inner, describe, short
from .file_contents import PartRecord


@dataclass(frozen=True)
class CombinedState:
    """The states of the parts, for B texts."""

    parts: tuple[State, ...]

    def take(self, rows: Ids) -> Self:
        """The states of the texts `rows`, in that order; a row may be taken more than once."""
        return type(self)(tuple(part.take(rows) for part in self.parts))

    def joined(self, other: Self) -> Self:
        """The states of these texts and, after them, of the texts of `other`."""
        parts = zip(self.parts, other.parts, strict=True)
        return type(self)(tuple(ours.joined(theirs) for ours, theirs in parts))


class CombinedLM(CausalModel[CombinedState]):
    """Base of models that combine what others predict."""

    weights: npt.NDArray[np.float64]  # (K,) or (contexts, K)

    def __init__(self, parts: Sequence[LanguageModel]) -> None:
        """Raises CharlmError for none, different vocabularies, and bidirectional models."""
        require(len(parts) > 0, "a mixture of no models: the model file is damaged")
        self.parts = tuple(causal(part) for part in parts)
        self.vocab_size, self.eos = parts[0].vocab_size, parts[0].eos
        if any(part.vocab_size != self.vocab_size for part in parts):
            raise CharlmError("models of different vocabularies cannot be mixed")

    def start(self, batch: int) -> CombinedState:
        """The state of `batch` texts just after <EOS>: at the beginning of a sentence."""
        return CombinedState(tuple(part.start(batch) for part in self.parts))

    def empty(self, batch: int) -> CombinedState:
        """The state of `batch` texts before any token."""
        return CombinedState(tuple(part.empty(batch) for part in self.parts))

    def advance(self, state: CombinedState, ids_B: Ids) -> CombinedState:
        """The state after one more token in every row. `state` itself is unchanged."""
        parts = zip(self.parts, state.parts, strict=True)
        return CombinedState(tuple(part.advance(s, ids_B) for part, s in parts))

    def read(self, state: CombinedState, ids_BT: Ids) -> tuple[Nats, CombinedState]:
        """Log-probability of each of T further tokens, (B, T) nats, and the state after them."""
        nats_BT, after = self.read_by(self.parts, state.parts, ids_BT)
        return nats_BT, CombinedState(after)

    def read_all(self, state: CombinedState, ids_BT: Ids) -> tuple[Nats, CombinedState]:
        """`read`, with the log-probability of every token in each place: (B, T, V) nats."""
        nats_BTV, after = self.read_all_by(self.parts, state.parts, ids_BT)
        return nats_BTV, CombinedState(after)

    @abstractmethod
    def read_by(
        self, parts: Sequence[SequentialLM[Any]], states: Sequence[Any], ids_BT: Ids
    ) -> tuple[Nats, tuple[Any, ...]]:
        """`read` with other models in place of the parts, such as ones that learn."""

    @abstractmethod
    def read_all_by(
        self, parts: Sequence[SequentialLM[Any]], states: Sequence[Any], ids_BT: Ids
    ) -> tuple[Nats, tuple[Any, ...]]:
        """`read_all` with other models in place of the parts."""


# In a model file ------------------------------------------------------------------------------


def file_config(weights: Any, parts: Sequence[tuple[str, Config]]) -> dict[str, Any]:
    """The configuration of a combination of models, given as families and configurations.

    The tensors of part k are named "k." and their own names.
    """
    described = [{"family": family, "config": config} for family, config in parts]
    return {"weights": weights, "parts": described}


def inner_models(config: Config) -> list[Inner]:
    """The parts in a model file."""
    parts = enumerate(checked(config["parts"], list[PartRecord], "parts"))
    return [Inner(part["family"], part["config"], f"{k}.") for k, part in parts]


def build_parts(config: Config, tensors: Tensors, eos: int) -> list[LanguageModel]:
    """The parts, built."""
    return [build_inner(inner, tensors, eos) for inner in inner_models(config)]


def described_parts(config: Config) -> str:
    """The parts, each on one line, joined by "and"."""
    return " and ".join(describe(i.family, i.config) for i in inner_models(config))


def short_parts(config: Config) -> str:
    """The parts, each in a few words, joined by "and"."""
    return " and ".join(short(i.family, i.config) for i in inner_models(config))
