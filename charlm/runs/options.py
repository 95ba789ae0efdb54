"""The options of a run: the settings of its configurations, and those of the run itself.

The dataclasses define the meaning and bounds of each setting; `TrainOptions` and `NgramOptions`
repeat the names and types for type checkers, and a test keeps the two in step.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from ..config import (
    DURATION,
    NETWORK,
    OPTIMISATION,
    TEXT,
    NetworkConfig,
    TokenizerConfig,
    TrainConfig,
)
from ..errors import CharlmError
from ..system.settings import Described, Settings, setting, settings_of

if TYPE_CHECKING:
    from ..text.source import Reading

DEVICES = ("auto", "cpu", "cuda")

F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True)
class RunOptions(Settings):
    """Options of every run on a text: where it is saved, what it reads."""

    out: str | Path | None = setting(None, "Run directory; by default a new one under runs/.", TEXT)
    valid: str | Path | None = setting(
        None, "Validation text; by default the last tenth of the corpus.", TEXT
    )
    encoding: str = setting("utf-8", "Encoding of the text.")
    errors: str = setting(
        "strict", "What to do with undecodable bytes: strict (stop), replace or ignore."
    )
    field: str | None = setting(
        None, "Read JSON lines: the text in this field (dots lead to fields of fields)."
    )
    column: str | int | None = setting(
        None, "Read CSV, TSV or Parquet: the text in this column (its name, or its number from 1)."
    )

    def reading(self) -> Reading:
        """How files become text."""
        return {
            "encoding": self.encoding,
            "errors": self.errors,
            "field": self.field,
            "column": self.column,
        }


@dataclass(frozen=True)
class TrainRunOptions(RunOptions):
    """Options of training besides its three configurations. At most one duration."""

    minutes: float | None = setting(
        None,
        "Total minutes, from start to finish, at most.",
        DURATION,
        above=0,
        below=1_000_000_000,
    )
    epochs: float | None = setting(
        None, "Passes over the text.", DURATION, above=0, below=1_000_000_000
    )
    steps: int | None = setting(None, "Optimiser steps.", DURATION, above=0, below=1_000_000_000)
    dropout: float | None = setting(
        None,
        "Dropout between layers and before the softmax; less on token vectors.",
        NETWORK,
        minimum=0,
        below=1,
    )
    device: str = setting("auto", "Where to train.", OPTIMISATION, choices=DEVICES)
    init_from: str | Path | None = setting(
        None,
        "Start from this model (a run or a file), its vocabulary extended by what is new.",
        TEXT,
    )
    keep: str | Path | None = setting(
        None,
        "The text `init_from` was trained on: also measure what the network forgets of it.",
        TEXT,
    )
    plain: bool = setting(
        False,
        "Only the network; otherwise an n-gram model of the same text is mixed in at the end.",
        NETWORK,
    )
    cache: bool = setting(
        False, "Also mix in a cache, so that recent tokens become more probable.", NETWORK
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        given = [n for n in ("steps", "epochs", "minutes") if getattr(self, n) is not None]
        if len(given) > 1:
            raise CharlmError(
                f"`{given[0]}` and `{given[1]}` both set the duration: give only one of them"
            )
        if self.keep is not None and self.init_from is None:
            raise CharlmError("`keep` goes with `init_from`: name the model to start from")
        if self.cache and self.plain:
            raise CharlmError("`plain` is the network alone, without a `cache`: choose one")


class NgramOptions(TypedDict, total=False):
    """Keywords of `charlm.ngram` that are settings: RunOptions and TokenizerConfig."""

    out: str | Path | None
    valid: str | Path | None
    encoding: str
    errors: str
    field: str | None
    column: str | int | None
    level: str
    vocab_size: int
    min_count: int
    lower: bool
    split: str
    algorithm: str
    unk_token: str


class TrainOptions(NgramOptions, total=False):
    """Keywords of `charlm.train` that are settings: TrainRunOptions and the configurations."""

    minutes: float | None
    epochs: float | None
    steps: int | None
    dropout: float | None
    device: str
    init_from: str | Path | None
    keep: str | Path | None
    plain: bool
    cache: bool
    cell: str
    embed: int
    hidden: int
    layers: int
    residual: bool
    dense: int
    tied: bool
    bidirectional: bool
    learned_start: bool
    dropout_input: float
    dropout_between: float
    dropout_output: float
    weight_drop: float
    seed: int
    batch_size: int
    bptt: int
    optimizer: str
    lr: float
    min_lr: float
    warmup: int
    schedule: str
    momentum: float
    muon_scale: float
    muon_interval: int
    beta2: float
    weight_decay: float
    clip_norm: float
    clip_max: float
    clip_value: float
    softmax_sample: int
    eval_every: int
    valid_tokens: int
    patience: int
    precision: str
    reduction: str
    threads: int


def ngram_settings() -> dict[str, Described]:
    """The settings that NgramOptions names, by name."""
    return {**settings_of(RunOptions), **settings_of(TokenizerConfig)}


def train_settings() -> dict[str, Described]:
    """The settings that TrainOptions names, by name.

    If two have the same name, the first wins: the run's `steps` and `device` determine those of
    TrainConfig, and the tokenizer's vocabulary size determines the network's.
    """
    found: dict[str, Described] = {}
    for kind in (TrainRunOptions, TokenizerConfig, NetworkConfig, TrainConfig):
        for name, one in settings_of(kind).items():
            found.setdefault(name, one)
    return found


Options = TypeVar("Options", bound=RunOptions)


def divide(
    kind: type[Options], known: Mapping[str, Described], given: Mapping[str, Any]
) -> tuple[Options, dict[str, Any]]:
    """Split settings into the options of the run, of class `kind`, and those of its configurations.

    None means not given. Raises CharlmError for a name not in `known` and for an invalid value.
    """
    kept = {name: value for name, value in given.items() if value is not None}
    for name, value in kept.items():
        if name not in known:
            raise CharlmError(f"unknown setting `{name}`")
        known[name].check(value)
    run_names = settings_of(kind).keys()
    options = kind(**{name: value for name, value in kept.items() if name in run_names})
    return options, {name: value for name, value in kept.items() if name not in run_names}


def text_names(corpus: str | Path | Sequence[str | Path]) -> list[str]:
    """The files that `corpus` names, "-" for stdin. Raises CharlmError if there are none."""
    names = [str(corpus)] if isinstance(corpus, str | Path) else [str(name) for name in corpus]
    if not names or not names[0]:
        raise CharlmError("no text given. Name a file, or - for stdin")
    return names


def lists_settings(known: Mapping[str, Described]) -> Callable[[F], F]:
    """A decorator that appends a list of the settings to a function's docstring."""

    def decorate(function: F) -> F:
        lines = [f"{name}: {one.sentence()}" for name, one in known.items()]
        listed = "\n".join(lines)
        doc = textwrap.dedent(f"    {function.__doc__}").strip()
        function.__doc__ = f"{doc}\n\nSettings:\n{textwrap.indent(listed, '    ')}\n"
        return function

    return decorate
