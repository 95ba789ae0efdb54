"""What config.toml and metrics.jsonl hold, as types that they are checked against when read."""

from __future__ import annotations

from typing import Any, TypedDict

from ..config import NetworkConfig, TokenizerConfig, TrainConfig
from ..system.settings import Settings


class _Corpus(TypedDict):
    name: str
    paths: list[str]
    valid: list[str]
    encoding: str
    errors: str
    sha256: str


class CorpusRecord(_Corpus, total=False):
    """Where the text of a run is, and how it is read."""

    field: str
    column: str | int


class _Base(TypedDict):
    model: str


class BaseRecord(_Base, total=False):
    """The model that a fine-tuning began with, and the old text that it watched."""

    keep: list[str]
    keep_sha256: str


class MachineRecord(TypedDict, total=False):
    """The machine that a run was trained on."""

    processor: str
    cores: int
    memory: int  # bytes


class _Run(TypedDict):
    corpus: CorpusRecord
    tokenizer: dict[str, Any]
    network: dict[str, Any]
    training: dict[str, Any]


class RunRecord(_Run, total=False):
    """config.toml. What the settings in its tables may be is defined in `config`."""

    charlm: str
    base: BaseRecord
    machine: MachineRecord
    plain: bool
    with_ngram: bool  # until 0.1
    cache: bool
    ngram_tokens: int
    launch: str  # of several processes, see `training.processes`


def settings_in(record: RunRecord) -> tuple[tuple[type[Settings], dict[str, Any]], ...]:
    """The tables of settings in config.toml, each with its class."""
    return (
        (TokenizerConfig, record["tokenizer"]),
        (NetworkConfig, record["network"]),
        (TrainConfig, record["training"]),
    )


class ValidRecord(TypedDict):
    """What a row of metrics.jsonl has of a validation."""

    logprob: float
    tokens: int
    bits_per_char: float


class _TrainRow(TypedDict):
    step: int
    seconds: float
    loss: float
    learning_rate: float


class TrainRow(_TrainRow, total=False):
    """A line of metrics.jsonl about some steps of training."""

    gradient_norm: float


class _ValidRow(TypedDict):
    step: int
    seconds: float
    valid: ValidRecord


class ValidRow(_ValidRow, total=False):
    """A line of metrics.jsonl about a validation."""

    kept: ValidRecord
    sample: str
