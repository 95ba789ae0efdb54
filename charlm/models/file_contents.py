"""What a model file holds besides its tensors, as types that it is checked against when read."""

from __future__ import annotations

from numbers import Real
from typing import Any, TypedDict


class TextRecord(TypedDict):
    """The size of a text, as `corpus.TextStats`."""

    chars: int
    bytes: int
    lines: int
    tokens: int
    oov: int


class MeasuresRecord(TypedDict):
    """How well a model predicts a text: of `Measures.as_dict` what is shown. May be infinite."""

    bits_per_char: Real
    perplexity: Real
    perplexity_excluding_oov: Real
    oov: int


class TrainingRecord(TypedDict, total=False):
    """What a model learned from and how well, for people to read; anything may be absent."""

    name: str
    corpus: str
    sha256: str
    train: TextRecord
    valid: TextRecord
    step: int
    best: MeasuresRecord | None
    network: MeasuresRecord | None  # of a mixture's network alone
    settings: dict[str, Any]
    version: str
    dev: str
    parts: list[TrainingRecord]


class FileContents(TypedDict):
    """The JSON of a model file; `config` is checked by its family, `tokenizer` by its level."""

    format: int
    family: str
    config: dict[str, Any]
    tokenizer: dict[str, Any]
    training: TrainingRecord


class PartRecord(TypedDict):
    """A model inside another, in `config`."""

    family: str
    config: dict[str, Any]
