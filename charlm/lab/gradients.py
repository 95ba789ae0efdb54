"""Vanishing and exploding gradients: how much of the loss's gradient reaches k steps back.

Hochreiter (1991); Bengio, Simard and Frasconi (1994); Pascanu, Mikolov and Bengio (2013): in a
plain network, ‖∂L_T/∂h_{T−k}‖ ≤ ‖∂L_T/∂h_T‖ · (‖W_hh‖ · max f′)^k, and max f′ = 1 for tanh and
max(0, ·). So ‖W_hh‖ < 1 suffices for vanishing, and ‖W_hh‖ > 1 is needed for exploding, but does
not suffice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from ..config import CELLS, NetworkConfig, TrainConfig
from ..display.charts import Line, Panel
from ..lm import Ids
from ..network.network import Network, NetworkState, new_network
from ..runs import defaults
from ..text.corpus import Corpus
from . import learn
from .progress import Progress, split_progress

WARM_UP_TOKENS = 32  # tokens read before those through which the gradient is followed
MAX_EXCERPTS = 512  # of text, over which it is averaged: a few dominate
MAX_HELD = 1 << 22  # entries of hidden states held in memory, each with about ten for its gradient
TABLE_DISTANCES = (10, 20, 50)  # k shown in tables
FAR_DISTANCE = 30  # k used in remarks
VANISHED_BELOW = 0.01  # of the gradient at k = 0
LEARNING_RATE = 6e-3  # of AdamW: every cell learns at it
SCALED_CELLS = ("rnn", "rnn-relu")  # the cells that the theorem is about
GAINS = (0.5, 0.9, 1.0, 1.2, 1.5, 2.0)  # ‖W_hh‖ of those
CLIP_NORM = 0.25  # so low that nearly all gradients are clipped
CLIP_STEPS = 250  # of the runs that show its effect
EXPLODING = {
    "gain": 1.5,
    "lr": 1.0,
}  # the run in which gradients explode: plain gradient descent


def flow(network: Network, ids_TB: Ids, *, eos: int) -> npt.NDArray[np.float64]:
    """‖∂L_T/∂s_{T−k}‖₂ for k = 0 … T−1, (T,): the root mean square over the B rows.

    `ids_TB` is (T+1, B) tokens, read after `eos`; L_T = −log P(the last | those before), in nats;
    s_t is all that the network carries from step t to the next: h_t of every layer and, of an
    LSTM, c_t beside it. c_t counts because it is the path made to keep gradients: with c held
    fixed, h alone would show an LSTM forgetting what it remembers. L_T is taken as a function of
    s_{T−k} and the tokens after it, so no path counts twice (c_t's through h_t is h_t's); at k = 0
    only what the last token is predicted from has a gradient: the uppermost h, or in a residual
    network the h of all layers.

    Without dropout, in float64; `network` is not modified. Rows are processed in chunks that fit in
    memory (MAX_HELD).
    """
    exact = deepcopy(network).double().eval().requires_grad_(False)
    exact.precision = torch.float64
    ids = torch.from_numpy(np.asarray(ids_TB, np.int64))
    rows = max(1, MAX_HELD // (len(ids) * network.config.layers * network.config.hidden))
    squares = sum(_squares(exact, part, eos) for part in torch.split(ids, rows, dim=1))
    return np.asarray(np.sqrt(squares / ids.shape[1]), np.float64)


def _squares(exact: Network, ids: Tensor, eos: int) -> npt.NDArray[np.float64]:
    """‖∂L_T/∂s_{T−k}‖² for k = 0 … T−1, summed over the rows of `ids`, (T+1, B)."""
    _, state = exact.hidden_states(torch.full_like(ids[:1], eos), exact.start(ids.shape[1]))
    state = tuple(tuple(s.requires_grad_() for s in layer) for layer in state)
    states: list[NetworkState] = []
    for x_1B in torch.split(ids[:-1], 1):
        _, after = exact.hidden_states(x_1B, state)
        state = tuple(tuple(s.clone() for s in layer) for layer in after)
        states.append(state)
    features_BD = exact.head(exact.top(state))
    logits_BV = functional.linear(features_BD, exact.output.weight, exact.output.bias)
    loss = functional.cross_entropy(
        logits_BV, ids[-1], reduction="sum"
    )  # each row has its own loss
    parts = [part for state in reversed(states) for layer in state for part in layer]
    found = torch.autograd.grad(loss, parts, materialize_grads=True)
    squares = torch.stack([g.square().sum() for g in found]).view(len(states), -1).sum(1)
    return np.asarray(squares.numpy(), np.float64)


@dataclass(frozen=True)
class Curve:
    """How the gradient flows back through one network."""

    cell: str
    gain: float  # what W_hh, orthogonal when fresh, was multiplied by before any training
    norms: tuple[float, ...]  # of `flow`, k = 0 …

    def ratio(self, k: int) -> float:
        """The norm at k relative to that at k = 0; NaN if either is missing."""
        if k >= len(self.norms) or not self.norms[0] > 0:
            return math.nan
        return self.norms[k] / self.norms[0]

    @property
    def ratios(self) -> list[float]:
        return [self.ratio(k) for k in range(len(self.norms))]

    @property
    def faded(self) -> int | None:
        """The first k at which less than 1 % is left; None if there is none."""
        return next((k for k, ratio in enumerate(self.ratios) if ratio < VANISHED_BELOW), None)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"faded": self.faded}


@dataclass(frozen=True)
class CellFlow:
    """One cell, before and after training."""

    fresh: Curve
    trained: Curve
    loss: float  # nats per token on validation text after training

    def as_dict(self) -> dict[str, Any]:
        both = {"fresh": self.fresh.as_dict(), "trained": self.trained.as_dict()}
        return {"cell": self.fresh.cell, **both, "loss": self.loss}


@dataclass(frozen=True)
class Course:
    """A training of the plain network, clipped or not."""

    optimizer: str
    clip_norm: float  # 0 = off
    losses: tuple[float, ...]  # nats per token, each step
    norms: tuple[float, ...]  # L2 norm of the whole gradient before clipping, each step
    after: Curve

    @property
    def end(self) -> float:
        """Mean loss of the last tenth of the steps."""
        return float(np.mean(self.losses[-max(1, len(self.losses) // 10) :]))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"after": self.after.as_dict(), "end": self.end}


@dataclass(frozen=True)
class Gradients:
    """The experiment's numbers."""

    settings: Mapping[str, Any]
    cells: tuple[CellFlow, ...]
    scaled: tuple[Curve, ...]  # fresh networks
    clipping: tuple[Course, ...]  # AdamW without and with, gradient descent without and with

    @property
    def far(self) -> int:
        """The k at which networks are compared."""
        return min(FAR_DISTANCE, len(self.scaled[0].norms) - 1)

    def as_dict(self) -> dict[str, Any]:
        parts = ("cells", "scaled", "clipping")
        return {**self.settings} | {
            part: [one.as_dict() for one in getattr(self, part)] for part in parts
        }

    def panels(self) -> list[Panel]:
        """Two columns: before and after training; two cells scaled; clipping's norms and losses.

        Panels without a legend share their neighbour's.
        """
        across, up = "k, steps back", "‖∂L/∂state‖, at k = 0: 1"
        found = []
        for title, curves in (
            ("fresh networks (state: h, of an LSTM h and c)", [one.fresh for one in self.cells]),
            ("trained networks", [one.trained for one in self.cells]),
        ):
            lines = [
                Line(c.cell, range(len(c.norms)), c.ratios, colour=CELLS.index(c.cell))
                for c in curves
            ]
            found.append(Panel(title, across, up, lines, log_y=True, y_range=(1e-6, 3.0)))
        for cell in SCALED_CELLS:
            lines = []
            for n, c in enumerate(c for c in self.scaled if c.cell == cell):
                k = range(len(c.norms))
                label = f"‖W‖ = {c.gain}" if cell == SCALED_CELLS[0] else ""
                lines.append(Line(label, k, c.ratios, colour=n))
                lines.append(Line("", k, [c.gain**i for i in k], ":", colour=n))
            found.append(
                Panel(
                    f"fresh {cell}, W_hh scaled; dotted: the bound ‖W‖ᵏ",
                    across,
                    up,
                    lines,
                    log_y=True,
                    y_range=(1e-8, 1e6),
                )
            )
        for title, what in (("rnn's gradient before clipping", "norm"), ("its loss", "nats")):
            lines = []
            for n, run in enumerate(self.clipping):
                kind = f"‖W‖ = {run.after.gain}, {run.optimizer}"
                y = run.norms if what == "norm" else run.losses
                clipped = f"clipped at {run.clip_norm}" if run.clip_norm else "not clipped"
                label = "" if what == "norm" else f"{kind}, {clipped}"
                lines.append(Line(label, range(1, len(y) + 1), y, colour=n))
            found.append(
                Panel(
                    title,
                    "step",
                    f"{what} per token" if what == "nats" else what,
                    lines,
                    log_y=True,
                )
            )
        return found


def experiment(
    corpus: Corpus,
    *,
    cells: Sequence[str] = CELLS,
    hidden: int = 128,
    steps: int = 800,
    length: int = 60,
    seed: int = 1,
    progress: Progress | None = None,
) -> Gradients:
    """Gradients k = 0 … `length` back, on validation text: see the fields of `Gradients`.

    Raises CharlmError for an unknown cell or too little text.
    """
    facts = learn.facts_of(corpus, 1000, WARM_UP_TOKENS + length + 2)
    fixed = {"seed": seed, "steps": steps, "lr": LEARNING_RATE, "optimizer": "adamw"}
    config = defaults.training(fixed, facts)
    shapes = {
        cell: defaults.network({"cell": cell, "hidden": hidden}, facts)
        for cell in (*cells, *SCALED_CELLS)
    }
    short = min(steps, CLIP_STEPS)
    reports = split_progress(progress, [steps] * len(cells) + [short] * 4)
    found = []
    for cell in cells:
        network = shapes[cell]
        fresh = _curve(new_network(network, config), 1.0, corpus, length)
        trained = learn.train(network, config, corpus, next(reports))
        after = _curve(trained, 1.0, corpus, length)
        found.append(CellFlow(fresh, after, learn.loss_on(trained, corpus)))
    scaled = [
        _curve(_scaled(shapes[cell], config, gain), gain, corpus, length)
        for cell in SCALED_CELLS
        for gain in GAINS
    ]
    courses = []
    tame = replace(config, steps=short)
    wild = replace(tame, optimizer="sgd", lr=EXPLODING["lr"], momentum=0.0, weight_decay=0.0)
    for base, gain in ((tame, 1.0), (wild, EXPLODING["gain"])):
        for clip in (0.0, CLIP_NORM):
            run = replace(base, clip_norm=clip, schedule="constant", warmup=0)
            courses.append(_course(shapes["rnn"], run, gain, corpus, length, next(reports)))
    settings = {
        "corpus": corpus.name,
        "level": facts.level,
        "hidden": hidden,
        "steps": steps,
        "seed": seed,
        "bptt": config.bptt,
        "batch_size": config.batch_size,
    }
    return Gradients(settings, tuple(found), tuple(scaled), tuple(courses))


def _scaled(shape: NetworkConfig, config: TrainConfig, gain: float) -> Network:
    """A fresh network whose recurrent matrices are multiplied by `gain`."""
    network = new_network(shape, config)
    with torch.no_grad():
        for layer in network.layers():
            layer.weight_hh.mul_(gain)
    return network


def _course(
    shape: NetworkConfig,
    config: TrainConfig,
    gain: float,
    corpus: Corpus,
    length: int,
    progress: Progress,
) -> Course:
    losses: list[float] = []
    norms: list[float] = []

    def watch(loss: float, norm: float) -> None:
        losses.append(loss)
        norms.append(norm)

    network = _scaled(shape, config, gain)
    learn.train_network(network, config, corpus, progress, watch=watch)
    after = _curve(network, gain, corpus, length)
    return Course(config.optimizer, config.clip_norm, tuple(losses), tuple(norms), after)


def _curve(network: Network, gain: float, corpus: Corpus, length: int) -> Curve:
    """`flow` averaged over excerpts spread evenly over the validation text."""
    ids, size = corpus.valid, WARM_UP_TOKENS + length + 2
    rows = min(MAX_EXCERPTS, len(ids) // size)
    starts_B = np.linspace(0, len(ids) - size, rows).astype(np.int64)
    norms = flow(network, ids[starts_B + np.arange(size)[:, None]], eos=corpus.tokenizer.eos)
    return Curve(network.config.cell, gain, tuple(norms[: length + 1].tolist()))
