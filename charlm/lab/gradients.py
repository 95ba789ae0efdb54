"""Vanishing and exploding gradients: how much of the loss's gradient reaches k steps back.

Hochreiter (1991); Bengio, Simard and Frasconi (1994); Pascanu, Mikolov and Bengio (2013): in a
plain network, ‖∂L_T/∂h_{T−k}‖ ≤ ‖∂L_T/∂h_T‖ · (‖W_hh‖ · max f′)^k, and max f′ = 1 for tanh and
max(0, ·). So ‖W_hh‖ < 1 suffices for vanishing, and ‖W_hh‖ > 1 is needed for exploding, but does
not suffice. ‖·‖ of a matrix is its largest singular value.

A gradient reaches far back where it can and where it is of use. So networks are trained twice: on
ordinary text, whose next token rarely depends on one far back, and on a language whose last symbol
is determined by the one LAG steps before it (see `lags`). What can flow through an LSTM's memory is
the product of its forget gates, so fresh LSTMs are shown with several biases of that gate.
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
from . import lags, learn
from .palette import colour_of
from .progress import Progress

WARM_UP_TOKENS = 32  # tokens read before those through which the gradient is followed
MAX_EXCERPTS = 512  # of text, over which it is averaged: a few dominate
MAX_HELD = 1 << 22  # entries of hidden states held in memory, each with about ten for its gradient
TABLE_DISTANCES = (10, 20, 50)  # k shown in tables
FAR_DISTANCE = 30  # k used in remarks
VANISHED_BELOW = 0.01  # of the gradient at k = 0
LEARNING_RATE = 6e-3  # of AdamW: every cell learns at it
SCALED_CELLS = ("rnn", "rnn-relu")  # the cells that the theorem is about
GAINS = (0.5, 0.9, 1.0, 1.2, 1.5, 2.0)  # ‖W_hh‖ of those
LAG = 30  # of the language with a long dependency
LAG_STEPS = 1000  # of training on it, at most
LAG_WEIGHT = 0.3  # of a step on it, in steps on text
LAG_HIDDEN = 64  # units of the networks trained on it
FORGET_BIASES = (0.0, 1.0, 2.0, 4.0)


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
    """One cell: fresh, trained on text, and trained on the language with one lag."""

    fresh: Curve
    trained: Curve
    loss: float  # nats per token on validation text after training
    lagged: Curve  # at the end of a sentence of that language
    recall: float  # part of its ends that are right; chance is 0.5

    def as_dict(self) -> dict[str, Any]:
        curves = {name: getattr(self, name).as_dict() for name in ("fresh", "trained", "lagged")}
        return {"cell": self.fresh.cell, **curves, "loss": self.loss, "recall": self.recall}


@dataclass(frozen=True)
class Gradients:
    """The experiment's numbers."""

    settings: Mapping[str, Any]
    cells: tuple[CellFlow, ...]
    scaled: tuple[Curve, ...]  # fresh networks
    biased: tuple[Curve, ...]  # fresh LSTMs, one for each of FORGET_BIASES

    @property
    def lag(self) -> int:
        """Of the language with a long dependency."""
        return LAG

    @property
    def far(self) -> int:
        """The k at which networks are compared."""
        return min(FAR_DISTANCE, len(self.scaled[0].norms) - 1)

    def as_dict(self) -> dict[str, Any]:
        parts = ("cells", "scaled", "biased")
        return {**self.settings, "lag": LAG, "forget_biases": FORGET_BIASES} | {
            part: [one.as_dict() for one in getattr(self, part)] for part in parts
        }

    def panels(self) -> list[Panel]:
        """Two columns: fresh and on text; on the language and forget biases; two cells scaled."""
        across, up = "k, steps back", "‖∂L/∂state‖, at k = 0: 1"
        found = []
        for title, curves in (
            ("fresh networks (state: h, of an LSTM h and c)", [one.fresh for one in self.cells]),
            ("trained on text", [one.trained for one in self.cells]),
            (f"trained to recall what was {LAG} steps ago", [one.lagged for one in self.cells]),
        ):
            lines = [
                Line(c.cell, range(len(c.norms)), c.ratios, colour=colour_of(c.cell), width=w)
                for c, w in zip(curves, (4.0, 3.2, 2.4, 1.6, 0.8), strict=False)
            ]
            found.append(Panel(title, across, up, lines, log_y=True, y_range=(1e-6, 30.0)))
        lines = [
            Line(f"b_f = {bias:g}", range(len(c.norms)), c.ratios, colour=k)
            for k, (bias, c) in enumerate(zip(FORGET_BIASES, self.biased, strict=True))
        ]
        found.append(
            Panel("fresh lstm, by forget bias", across, up, lines, log_y=True, y_range=(1e-6, 30.0))
        )
        for cell in SCALED_CELLS:
            lines = []
            for n, c in enumerate(c for c in self.scaled if c.cell == cell):
                k = range(len(c.norms))
                lines.append(Line(f"‖W‖ = {c.gain}", k, c.ratios, colour=n))
                lines.append(Line("", k, [c.gain**i for i in k], ":", colour=n))
            title = f"fresh {cell}, W_hh scaled; dotted: the bound ‖W‖ᵏ"
            found.append(Panel(title, across, up, lines, log_y=True, y_range=(1e-8, 1e6)))
        return found


@dataclass(frozen=True)
class Training:
    """One network to train, and how far its gradient is followed."""

    shape: NetworkConfig  # on text
    config: TrainConfig
    corpus: Corpus | None  # None: the language of lag LAG
    length: int


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
    jobs = [Training(shapes[cell], config, corpus, length) for cell in cells]
    lag_config = replace(config, steps=min(LAG_STEPS, 2 * steps))
    jobs += [Training(shapes[cell], lag_config, None, length) for cell in cells]
    weights = [job.config.steps * (1.0 if job.corpus else LAG_WEIGHT) for job in jobs]
    curves = learn.run_parallel(_after_training, jobs, weights, progress)
    found = []
    for cell, (trained, loss), (lagged, recall) in zip(
        cells, curves[: len(cells)], curves[len(cells) :], strict=True
    ):
        fresh = _curve(new_network(shapes[cell], config), 1.0, corpus, length)
        found.append(CellFlow(fresh, trained, loss, lagged, recall))
    scaled = [
        _curve(_scaled(shapes[cell], config, gain), gain, corpus, length)
        for cell in SCALED_CELLS
        for gain in GAINS
    ]
    lstm = defaults.network({"cell": "lstm", "hidden": hidden}, facts)
    biased = [
        _curve(_with_forget_bias(lstm, config, bias), 1.0, corpus, length) for bias in FORGET_BIASES
    ]
    settings = {
        "corpus": corpus.name,
        "level": facts.level,
        "hidden": hidden,
        "steps": steps,
        "seed": seed,
        "bptt": config.bptt,
        "batch_size": config.batch_size,
    }
    return Gradients(settings, tuple(found), tuple(scaled), tuple(biased))


def _scaled(shape: NetworkConfig, config: TrainConfig, gain: float) -> Network:
    """A fresh network whose recurrent matrices are multiplied by `gain`."""
    network = new_network(shape, config)
    with torch.no_grad():
        for layer in network.layers():
            layer.weight_hh.mul_(gain)
    return network


def _with_forget_bias(shape: NetworkConfig, config: TrainConfig, bias: float) -> Network:
    """A fresh LSTM whose forget gates' biases are `bias`."""
    network = new_network(shape, config)
    H = shape.hidden
    with torch.no_grad():
        for layer in network.layers():
            layer.bias_ih[H : 2 * H] = bias  # i, f, g, o
            layer.bias_hh[H : 2 * H] = 0.0
    return network


def _after_training(job: Training) -> tuple[Curve, float]:
    """Train, in a worker process: the gradient, and loss on text or accuracy on the language."""
    if job.corpus is None:
        return _lagged(job.shape.cell, job.config.seed, job.config.steps)
    trained = learn.train(job.shape, job.config, job.corpus)
    return _curve(trained, 1.0, job.corpus, job.length), learn.loss_on(trained, job.corpus)


def _lagged(cell: str, seed: int, steps: int) -> tuple[Curve, float]:
    """Train on the language of lag LAG: the gradient at a sentence's end, and accuracy there.

    `flow` reads a sentence after <EOS>, so training does, too.
    """
    network = Network(NetworkConfig(lags.VOCAB_SIZE, cell=cell, embed=16, hidden=LAG_HIDDEN))
    network.initialise(seed)
    lags.chrono(network, LAG, seed)
    rng = np.random.default_rng((seed, LAG))

    def draw(count: int = lags.BATCH) -> learn.Task:
        task = lags.task(rng, LAG, count)
        start = np.full((1, count), lags.EOS)
        return learn.Task(
            np.concatenate([start, task.x_TB]),
            np.concatenate([task.y_TB[:1], task.y_TB]),
            np.concatenate([np.zeros((1, count), bool), task.counts_TB]),
        )

    learn.train_on_task(network, draw, steps, lags.LEARNING_RATE, target_loss=lags.LOSS_TARGET)
    test = draw(lags.TEST_SENTENCES)
    ends = test.y_TB[-1]
    guesses = learn.logits_at(network, test)[:, lags.END : lags.END + 2].argmax(1)
    norms = flow(network, np.concatenate([test.x_TB[1:], ends[None]]), eos=lags.EOS)
    return Curve(cell, 1.0, tuple(norms.tolist())), float((guesses == ends - lags.END).mean())


def _curve(network: Network, gain: float, corpus: Corpus, length: int) -> Curve:
    """`flow` averaged over excerpts spread evenly over the validation text."""
    ids, size = corpus.valid, WARM_UP_TOKENS + length + 2
    rows = min(MAX_EXCERPTS, len(ids) // size)
    starts_B = np.linspace(0, len(ids) - size, rows).astype(np.int64)
    norms = flow(network, ids[starts_B + np.arange(size)[:, None]], eos=corpus.tokenizer.eos)
    return Curve(network.config.cell, gain, tuple(norms[: length + 1].tolist()))
