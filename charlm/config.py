"""Every setting, documented field by field. Frozen, so a run's settings cannot drift."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from .errors import CharlmError

CELLS = ("rnn", "rnn-relu", "lstm", "lstm-peephole", "gru")
LEVELS = ("char", "word", "byte", "subword")
OPTIMIZERS = ("muon", "adamw", "adam", "sgd")
SCHEDULES = ("cosine", "plateau", "constant")


@dataclass(frozen=True)
class Settings:
    """Shared manners of all settings: to and from plain values, refusing unknown or odd ones."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild from `as_dict`. Raises CharlmError on unknown, missing or impossible values."""
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise CharlmError(f"unknown setting {unknown[0]!r}: made by a newer charlm?")
        try:
            return cls(**dict(values))
        except TypeError as error:
            raise CharlmError(f"settings are incomplete or of the wrong type: {error}") from None


def flag(name: str) -> str:
    """A setting's name as the command line spells it."""
    return name.replace("_", "-")


def require(condition: bool, message: str) -> None:
    """Raise CharlmError(message) unless condition holds."""
    if not condition:
        raise CharlmError(message)


@dataclass(frozen=True)
class TokenizerConfig(Settings):
    """How text becomes tokens."""

    level: str = "char"  # char | word | byte | subword
    vocab_size: int = 0  # most token kinds to keep; 0 = no limit (subword: 0 = 4,000)
    min_count: int = 1  # a kind seen fewer times than this in training becomes <UNK> (char, word)
    lower: bool = False  # fold to lower case first (word)
    split: str = "whitespace"  # word: whitespace | unicode (punctuation and CJK stand alone)
    algorithm: str = "unigram"  # subword: unigram | bpe

    def __post_init__(self) -> None:
        require(self.level in LEVELS, f"unknown level {self.level!r}: choose {' | '.join(LEVELS)}")
        require(
            self.split in ("whitespace", "unicode"),
            f"unknown split {self.split!r}: choose whitespace | unicode",
        )
        require(
            self.algorithm in ("unigram", "bpe"),
            f"unknown subword algorithm {self.algorithm!r}: choose unigram | bpe",
        )
        require(self.vocab_size >= 0, "vocab-size must be 0 (no limit) or positive")
        require(self.min_count >= 1, "min-count must be at least 1")


@dataclass(frozen=True)
class NetworkConfig(Settings):
    """The shape of a recurrent network; with the tensors it is the whole model."""

    vocab_size: int  # V, token kinds
    cell: str = "lstm"  # rnn (tanh) | rnn-relu | lstm | lstm-peephole | gru
    embed: int = 512  # E, width of a token's vector
    hidden: int = 512  # H, width of each recurrent layer
    layers: int = 1  # recurrent layers, one on another
    dense: int = 0  # tanh layers of width H between the recurrent stack and the softmax
    tied: bool = False  # the softmax uses the embedding matrix (projected to E where H != E)
    bidirectional: bool = False  # a second stack reads from the right; predicts what both surround
    learned_start: bool = False  # the state before the first token is learned instead of zero
    dropout_input: float = 0.0  # probability of dropping an entry of all tokens' vectors (locked)
    dropout_between: float = 0.0  # … of an entry handed from one layer to the next
    dropout_output: float = 0.0  # … of an entry handed to the softmax
    weight_drop: float = 0.0  # … of a weight from hidden state to hidden state (DropConnect)

    def __post_init__(self) -> None:
        require(self.cell in CELLS, f"unknown cell {self.cell!r}: choose {' | '.join(CELLS)}")
        for name in ("vocab_size", "embed", "hidden", "layers"):
            value = getattr(self, name)
            require(
                isinstance(value, int) and 0 < value <= 1 << 24,
                f"{flag(name)} must be a whole number from 1 to {1 << 24:,}, not {value!r}",
            )
        require(self.layers <= 64, f"layers must be at most 64, not {self.layers}")
        require(0 <= self.dense <= 64, "dense must be between 0 and 64 layers")
        for name in ("dropout_input", "dropout_between", "dropout_output", "weight_drop"):
            value = getattr(self, name)
            require(0 <= value < 1, f"{flag(name)} must be in [0, 1), not {value}")

    @property
    def gates(self) -> int:
        """Blocks of H rows in a layer's weight matrices: 4 (LSTM), 3 (GRU) or 1 (RNN)."""
        return {"lstm": 4, "lstm-peephole": 4, "gru": 3}.get(self.cell, 1)

    @property
    def top(self) -> int:
        """Width of the hidden states that a token is predicted from, both directions together."""
        return 2 * self.hidden if self.bidirectional else self.hidden

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every tensor of a model of this configuration.

        Gate order in the rows of `weight_ih`, `weight_hh` and the biases is that of
        `torch.nn`: LSTM i, f, g, o; GRU r, z, n. Peepholes: rows i, f, o.
        """
        V, E, H, G = self.vocab_size, self.embed, self.hidden, self.gates
        shapes: dict[str, tuple[int, ...]] = {"embedding.weight": (V, E)}
        for stack in ("rnn", "back") if self.bidirectional else ("rnn",):
            for k in range(self.layers):
                name = f"{stack}.{k}"
                shapes[f"{name}.weight_ih"] = (G * H, E if k == 0 else H)
                shapes[f"{name}.weight_hh"] = (G * H, H)
                shapes[f"{name}.bias_ih"] = (G * H,)
                shapes[f"{name}.bias_hh"] = (G * H,)
                if self.cell == "lstm-peephole":
                    shapes[f"{name}.peephole"] = (3, H)
                if self.learned_start:
                    shapes[f"{name}.h0"] = (H,)
                    if self.cell.startswith("lstm"):
                        shapes[f"{name}.c0"] = (H,)
        for k in range(self.dense):
            shapes[f"dense.{k}.weight"] = (H, self.top if k == 0 else H)
            shapes[f"dense.{k}.bias"] = (H,)
        seen = H if self.dense else self.top  # by the projection, or the softmax
        if self.tied:
            if seen != E:
                shapes["projection.weight"] = (E, seen)
        else:
            shapes["output.weight"] = (V, seen)
        shapes["output.bias"] = (V,)
        return shapes


@dataclass(frozen=True)
class TrainConfig(Settings):
    """How a network is trained. `steps` is what a run finally does, however it was asked for."""

    seed: int = 1  # of initialisation, dropout, stream offsets and samples
    batch_size: int = 32  # B, parallel streams
    bptt: int = 128  # T, tokens through which a gradient flows back (truncated BPTT)
    steps: int = 1000  # optimiser steps in all; the schedule anneals over exactly these
    optimizer: str = "adamw"  # muon | adamw | adam | sgd
    lr: float = 3e-3  # peak learning rate
    min_lr: float = 0.0  # learning rate at the end of the cosine
    warmup: int = 50  # steps of linear warm-up
    schedule: str = "cosine"  # cosine | plateau (halve when validation stalls) | constant
    momentum: float = 0.9  # of sgd
    beta2: float = 0.99  # decay of Adam's second moment
    weight_decay: float = 0.01  # decoupled, on matrices only (adamw; L2 for adam and sgd)
    clip_norm: float = 1.0  # scale the whole gradient when its L2 norm is above this; 0 = off
    clip_max: float = 0.0  # scale the whole gradient when its largest entry is above this; 0 = off
    clip_value: float = 0.0  # clamp every entry to [-c, c]; 0 = off
    eval_every: int = 100  # steps between validations
    patience: int = 0  # stop after this many validations without improvement; 0 = never
    precision: str = "fp32"  # fp32 | bf16: of the matrix products
    threads: int = 0  # CPU threads of the matrix products; 0 = as torch finds them
    device: str = "cpu"  # cpu | cuda

    def __post_init__(self) -> None:
        require(
            self.optimizer in OPTIMIZERS,
            f"unknown optimizer {self.optimizer!r}: choose {' | '.join(OPTIMIZERS)}",
        )
        require(
            self.schedule in SCHEDULES,
            f"unknown schedule {self.schedule!r}: choose {' | '.join(SCHEDULES)}",
        )
        require(self.precision in ("fp32", "bf16"), f"unknown precision {self.precision!r}")
        for name in ("batch_size", "bptt", "steps", "eval_every"):
            require(getattr(self, name) >= 1, f"{flag(name)} must be at least 1")
        for name in ("warmup", "patience", "clip_norm", "clip_max", "clip_value", "weight_decay"):
            require(getattr(self, name) >= 0, f"{flag(name)} must not be negative")
        require(0 < self.lr < 1e6, f"lr must be positive and finite, not {self.lr}")
        require(self.weight_decay < 1e6, f"weight_decay must be finite, not {self.weight_decay}")
        require(0 <= self.seed < 1 << 63, f"seed must be from 0 to 2^63 - 1, not {self.seed}")
        require(self.threads <= 1024, f"threads must be at most 1024, not {self.threads}")
        require(self.steps < 1 << 53, "that many steps would never end")
        require(0 <= self.momentum < 1, f"momentum must be in [0, 1), not {self.momentum}")
        require(0 <= self.beta2 < 1, f"beta2 must be in [0, 1), not {self.beta2}")
