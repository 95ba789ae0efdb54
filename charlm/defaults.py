"""What a run does where the user says nothing: one readable place, each choice with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from .config import NetworkConfig, TokenizerConfig, TrainConfig
from .errors import CharlmError

MINUTES = 3.0  # the budget when none is given
EPOCHS = 30  # and the most passes over a small corpus in it: past this it learns by heart
LARGE_SOFTMAX = 2000  # kinds above which the softmax is most of the network


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
            if not 0 < getattr(self, name) < 1e9:
                raise CharlmError(f"--{name} must be positive and below a thousand million")


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
    """Width by corpus size; a small embedding where there are few kinds to tell apart.

    With V kinds a wider embedding than V adds cost and nothing to say: for 65 characters, 64
    instead of 512 makes LSTM 512 training 1.5 times as fast. A large softmax shares its matrix
    with the embedding (Press and Wolf 2017), so both are as wide as the layer.
    """
    hidden = settings.get("hidden") or (256 if facts.tokens < 200_000 else 512)
    chosen: dict[str, Any] = {"vocab_size": facts.vocab_size, "hidden": hidden}
    if facts.vocab_size > LARGE_SOFTMAX:
        chosen |= {"tied": True, "embed": hidden}
    else:
        chosen["embed"] = min(hidden, 64 if facts.vocab_size <= 256 else 128)
    return NetworkConfig(**(chosen | _pick(NetworkConfig, settings)))


def dropout(
    network: NetworkConfig, settings: Mapping[str, Any], facts: Facts, epochs: float
) -> NetworkConfig:
    """`network` with dropout fit for so many passes over the text, where the user says nothing.

    Dropout slows learning and pays only once the text begins to be learnt by heart. Seen once,
    on tinyshakespeare in about 85 s (5 epochs): 1.541 nats/char with 0.2, 1.514 without, though
    the run without also made 13 % more steps. The bounds below are estimates, not measured.
    """
    rate = settings.get("dropout")
    if rate is None:
        early, late = (2, 8) if facts.vocab_size > LARGE_SOFTMAX else (10, 60)
        most = 0.5 if facts.vocab_size > LARGE_SOFTMAX else 0.3
        rate = round(most * min(1.0, max(0.0, (epochs - early) / (late - early))), 2)
    places = {"dropout_between": rate, "dropout_output": rate}
    if facts.vocab_size > LARGE_SOFTMAX:
        places["dropout_input"] = rate
    own = _pick(NetworkConfig, settings)
    return replace(network, **{place: own.get(place, value) for place, value in places.items()})


def training(settings: Mapping[str, Any], facts: Facts) -> TrainConfig:
    """Streams few enough that a small corpus still gives many steps an epoch."""
    bptt = 64 if facts.vocab_size <= LARGE_SOFTMAX else 48
    streams = 32
    while streams > 4 and facts.tokens // (streams * bptt) < 16:
        streams //= 2
    chosen: dict[str, Any] = {"batch_size": streams, "bptt": bptt}
    if facts.vocab_size <= LARGE_SOFTMAX:
        # tinyshakespeare, one run each of 82 to 98 s at an uneven pace, nats/char. BPTT 128: 1.631
        # at a rate of 3e-3, 1.541 at 6e-3, 1.507 at 1e-2 (without dropout 1.478; 2e-2: 1.492).
        # BPTT 64 at 8e-3: 1.474, in 98 s. Chosen on the validation tenth that it is judged by.
        chosen["lr"] = 8e-3
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
