"""Every setting, defined once: its name, type, default, meaning and bounds.

The check of a value, the options of the command line and the list in `charlm.train`'s docstring are
all derived from the fields here (and from those in `runs/options.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from .system.settings import Setting, Settings, setting

LEVELS = ("char", "word", "byte", "subword")
SPLITS = ("whitespace", "unicode")
ALGORITHMS = ("unigram", "bpe")
OPTIMIZERS = ("muon", "adamw", "adam", "sgd")
SCHEDULES = ("cosine", "plateau", "constant")
PRECISIONS = ("fp32", "bf16")

TEXT, NETWORK, DURATION, OPTIMISATION = "Text", "Network", "How long", "Optimisation"  # groups

MAX_WIDTH = 1 << 24  # of a layer, and of a vocabulary
MAX_LAYERS = 64
MAX_THREADS = 1024


@dataclass(frozen=True)
class CellShape:
    """What a recurrent cell is made of. Its equations are in models/cells.py."""

    label: str  # as a person writes it
    gates: int  # blocks of H rows in its weight matrices, in the order of `torch.nn`
    memory: tuple[str, ...] = ("h0",)  # what it keeps from step to step, by its initial values
    forget_gate: int | None = None  # the block whose bias begins at 1 (Gers et al. 2000)
    extra: Mapping[str, int] = field(default_factory=dict)  # further tensors: name → rows of H


CELL_SHAPES = {
    "rnn": CellShape("RNN (tanh)", gates=1),
    "rnn-relu": CellShape("RNN (relu)", gates=1),
    "lstm": CellShape("LSTM", gates=4, memory=("h0", "c0"), forget_gate=1),
    "lstm-peephole": CellShape(
        "LSTM with peepholes", gates=4, memory=("h0", "c0"), forget_gate=1, extra={"peephole": 3}
    ),
    "gru": CellShape("GRU", gates=3),
}
CELLS = tuple(CELL_SHAPES)


@dataclass(frozen=True)
class TokenizerConfig(Settings):
    """How text becomes tokens."""

    level: str = setting("char", "What a token is.", TEXT, choices=LEVELS)
    vocab_size: int = setting(
        0, "Maximum vocabulary size; 0 = no limit (subwords: 4,000).", TEXT, minimum=0
    )
    min_count: int = setting(
        1, "Tokens seen fewer times than this become <UNK> (char, word).", TEXT, minimum=1
    )
    lower: bool = setting(False, "Fold words to lower case.", TEXT)
    split: str = setting(
        "whitespace",
        "Where words end (unicode also splits off punctuation and CJK characters).",
        TEXT,
        choices=SPLITS,
    )
    algorithm: str = setting("unigram", "How subwords are found.", TEXT, choices=ALGORITHMS)
    unk_token: str = setting(
        "<unk>", "The word that texts have in place of unknown ones; none = no such word.", TEXT
    )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild from `as_dict`; before there was an `unk_token`, words had none."""
        old = {"unk_token": "none"} if values.get("level") == "word" else {}
        return super().from_dict({**old, **values})


@dataclass(frozen=True)
class NetworkConfig(Settings):
    """The architecture of a recurrent network; with the tensors it is the whole model.

    vocab_size is V, embed E, hidden H in the shapes below.
    """

    vocab_size: int = field(
        metadata={"setting": Setting("Types of token.", minimum=1, maximum=MAX_WIDTH, option=False)}
    )
    cell: str = setting("lstm", "Recurrent cell.", NETWORK, choices=CELLS)
    embed: int = setting(512, "Width of a token's vector.", NETWORK, minimum=1, maximum=MAX_WIDTH)
    hidden: int = setting(
        512, "Units of each recurrent layer.", NETWORK, minimum=1, maximum=MAX_WIDTH
    )
    layers: int = setting(1, "Recurrent layers.", NETWORK, minimum=1, maximum=MAX_LAYERS)
    residual: bool = setting(False, "Add each further layer's input to its output.", NETWORK)
    dense: int = setting(
        0,
        "Tanh layers between the recurrent ones and the softmax.",
        NETWORK,
        minimum=0,
        maximum=MAX_LAYERS,
    )
    tied: bool = setting(False, "One matrix for token vectors and softmax.", NETWORK)
    bidirectional: bool = setting(
        False, "Read the text in both directions, to fill blanks.", NETWORK
    )
    learned_start: bool = setting(
        False, "Learn the initial state instead of starting from zero.", NETWORK
    )
    dropout_input: float = setting(
        0.0,
        "Dropout on token vectors, with one mask for the whole sequence.",
        NETWORK,
        minimum=0,
        below=1,
    )
    dropout_between: float = setting(
        0.0, "Dropout between recurrent layers.", NETWORK, minimum=0, below=1
    )
    dropout_output: float = setting(0.0, "Dropout before the softmax.", NETWORK, minimum=0, below=1)
    weight_drop: float = setting(
        0.0,
        "Dropout on the recurrent weights (DropConnect).",
        NETWORK,
        minimum=0,
        below=1,
    )

    @property
    def cell_shape(self) -> CellShape:
        """What a layer of this network is made of."""
        return CELL_SHAPES[self.cell]

    @property
    def gates(self) -> int:
        """Blocks of H rows in a layer's weight matrices: 4 (LSTM), 3 (GRU) or 1 (RNN)."""
        return self.cell_shape.gates

    @property
    def top(self) -> int:
        """Width of the hidden states that tokens are predicted from, directions concatenated."""
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
                for extra, rows in self.cell_shape.extra.items():
                    shapes[f"{name}.{extra}"] = (rows, H)
                if self.learned_start:
                    shapes |= {f"{name}.{part}": (H,) for part in self.cell_shape.memory}
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
    """How a network is trained. `steps` is what a run does in the end, however that was chosen.

    batch_size is B and bptt is T wherever shapes are given.
    """

    seed: int = setting(
        1,
        "Random seed; the same seed, steps, precision and threads give the same run.",
        OPTIMISATION,
        minimum=0,
        maximum=(1 << 63) - 1,
    )
    batch_size: int = setting(32, "Parallel streams.", OPTIMISATION, minimum=1)
    bptt: int = setting(
        128, "Tokens that gradients flow back through (truncated BPTT).", OPTIMISATION, minimum=1
    )
    steps: int = setting(
        1000,
        "Optimiser steps in all, over which the schedule anneals.",
        minimum=1,
        maximum=(1 << 53) - 1,
        option=False,
    )
    optimizer: str = setting("adamw", "Optimiser.", OPTIMISATION, choices=OPTIMIZERS)
    lr: float = setting(3e-3, "Peak learning rate.", OPTIMISATION, above=0, below=1_000_000)
    min_lr: float = setting(0.0, "Learning rate at the end of the cosine.", option=False)
    warmup: int = setting(50, "Steps of linear warm-up.", OPTIMISATION, minimum=0)
    schedule: str = setting(
        "cosine",
        "Learning rate schedule (plateau halves it when validation stalls).",
        OPTIMISATION,
        choices=SCHEDULES,
    )
    momentum: float = setting(0.9, "Momentum of sgd.", OPTIMISATION, minimum=0, below=1)
    muon_scale: float = setting(
        1.0, "Scale of Muon's updates, relative to AdamW's.", OPTIMISATION, above=0, below=1000
    )
    muon_interval: int = setting(
        1, "Steps from one orthogonalisation of Muon to the next.", OPTIMISATION, minimum=1
    )
    beta2: float = setting(0.99, "Decay of Adam's second moment.", minimum=0, below=1, option=False)
    weight_decay: float = setting(
        0.01,
        "Weight decay on matrices: decoupled (adamw, muon) or L2 (adam, sgd).",
        OPTIMISATION,
        minimum=0,
        below=1_000_000,
    )
    clip_norm: float = setting(
        1.0,
        "Rescale gradients whose L2 norm exceeds this; 0 = off.",
        OPTIMISATION,
        minimum=0,
    )
    clip_max: float = setting(
        0.0,
        "Rescale gradients whose largest entry exceeds this; 0 = off.",
        OPTIMISATION,
        minimum=0,
    )
    clip_value: float = setting(
        0.0, "Clamp each entry of the gradient to ± this; 0 = off.", OPTIMISATION, minimum=0
    )
    softmax_sample: int = setting(
        0,
        "Train the softmax on so many words, drawn at every step; 0 = all (above 8,000: 2,000).",
        OPTIMISATION,
        minimum=0,
        maximum=MAX_WIDTH,
    )
    eval_every: int = setting(100, "Steps between validations.", DURATION, minimum=1)
    valid_tokens: int = setting(
        1 << 19,
        "Validate on at most this many tokens, from the start of the validation text.",
        DURATION,
        minimum=1,
    )
    patience: int = setting(
        0,
        "Stop after this many validations without improvement; 0 = never.",
        DURATION,
        minimum=0,
    )
    precision: str = setting(
        "fp32",
        "Precision of matrix products, by default whichever is faster.",
        OPTIMISATION,
        choices=PRECISIONS,
    )
    reduction: str = setting(
        "fp32",
        "Precision in which several processes (torchrun) send each other gradients.",
        OPTIMISATION,
        choices=PRECISIONS,
    )
    threads: int = setting(
        0,
        "CPU threads; 0 = chosen by timing, or for a given number of steps all.",
        OPTIMISATION,
        minimum=0,
        maximum=MAX_THREADS,
    )
    device: str = setting("cpu", "Where it is trained.", choices=("cpu", "cuda"), option=False)
