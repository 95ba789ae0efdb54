"""What a run does where the user says nothing: one readable place, each choice with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from .config import NetworkConfig, TokenizerConfig, TrainConfig
from .errors import CharlmError

MINUTES = 3.0  # the budget when none is given
EPOCHS = 30  # and the most passes over a small corpus in it: past this it learns by heart


@dataclass(frozen=True)
class Budget:
    """How long to train, by exactly one of the three, or by the default minutes."""

    steps: int | None = None
    epochs: float | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        given = [n for n in ("steps", "epochs", "minutes") if getattr(self, n) is not None]
        if len(given) > 1:
            raise CharlmError(f"--{given[0]} and --{given[1]} both say how long: give one of them")
        for name in given:
            if not getattr(self, name) > 0:
                raise CharlmError(f"--{name} must be positive")


@dataclass(frozen=True)
class Facts:
    """What the choices below depend on."""

    level: str
    tokens: int  # of training text
    vocab_size: int


def tokenizer(settings: Mapping[str, Any]) -> TokenizerConfig:
    """Characters unless told otherwise: no unknown words, any language, any file."""
    return TokenizerConfig(**_pick(TokenizerConfig, settings))


def network(settings: Mapping[str, Any], facts: Facts) -> NetworkConfig:
    """Width by corpus size; dropout where the corpus is small enough to be learnt by heart."""
    small = facts.tokens < 400_000
    chosen: dict[str, Any] = {
        "vocab_size": facts.vocab_size,
        "hidden": 256 if small else 512,
        "dropout_output": 0.2,
    }
    chosen["embed"] = settings.get("hidden") or chosen["hidden"]
    if facts.level in ("word", "subword") or facts.vocab_size > 2000:
        # a large softmax: one matrix for input and output, and more dropout (few tokens a kind)
        chosen |= {"tied": True, "dropout_input": 0.3, "dropout_output": 0.4, "embed": 400}
        chosen["hidden"] = 400 if facts.level == "word" else chosen["hidden"]
        chosen["embed"] = settings.get("hidden") or chosen["hidden"]
    own = _pick(NetworkConfig, settings)
    rate = settings.get("dropout")
    if rate is not None:
        chosen |= {"dropout_input": 0.0, "dropout_between": rate, "dropout_output": rate}
    return NetworkConfig(**(chosen | own))


def training(settings: Mapping[str, Any], facts: Facts) -> TrainConfig:
    """Streams few enough that a small corpus still gives many steps an epoch."""
    bptt = 128 if facts.level in ("char", "byte") else 48
    streams = 32
    while streams > 4 and facts.tokens // (streams * bptt) < 16:
        streams //= 2
    chosen: dict[str, Any] = {"batch_size": streams, "bptt": bptt}
    if settings.get("optimizer") == "sgd":
        chosen |= {"lr": 1.0, "clip_norm": 0.25}  # the classical recipe (Zaremba et al. 2014)
    return TrainConfig(**(chosen | _pick(TrainConfig, settings)))


def check(settings: Mapping[str, Any]) -> None:
    """Raise CharlmError on a name that is no setting at all."""
    known = {"dropout"} | {
        f.name for kind in (TokenizerConfig, NetworkConfig, TrainConfig) for f in fields(kind)
    }
    for name in settings:
        if name not in known:
            raise CharlmError(f"unknown setting {name!r}")


def _pick(kind: type, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The given settings that belong to `kind`; a network's V is its tokenizer's, not given."""
    own = {f.name for f in fields(kind)}
    if kind is NetworkConfig:
        own.discard("vocab_size")
    return {k: v for k, v in settings.items() if k in own and v is not None}
