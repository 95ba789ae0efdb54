"""What layers are good for, and what a learned start is.

Three machines of five states, of which each drives the next: at every step the first reads a symbol
and goes into another state, the second reads that state, the third reads the second's,

    m¹_t = T¹[x_t, m¹_{t−1}],   m²_t = T²[m¹_t, m²_{t−1}],   m³_t = T³[m²_t, m³_{t−1}]

with tables T drawn once, the same in every run. A network reads the x_t and is to tell all three
states after each. In one layer everything must happen in one step, s_t = tanh(U x_t + W s_{t−1} +
b); three layers can do what the machines do, one after another (a cascade: Krohn and Rhodes 1965;
deep networks: Hermans and Schrauwen 2013; Pascanu et al. 2014). Dense layers between the state and
the output, u = tanh(D s + d), are deep too, but what they compute is not remembered.

The learned start: a network whose first token is predicted from s_0 alone. With s_0 = 0 the output
has nothing but its bias, which must serve all other steps as well.
"""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..display.charts import Line, Panel
from ..errors import require
from . import shapes_text as texts
from .descent import cross_entropy, take_step
from .learn import run_parallel
from .progress import Progress

Ids64 = npt.NDArray[np.int64]

MACHINES, STATES, LENGTH = 3, 5, 20
EMBED, BATCH, RATE, TESTED = 16, 64, 5e-3, 1000
SHORTEST = 4  # steps of the sequences trained on at first; LENGTH from half of the training on
LAYERS_WIDTH = 16  # units of each of three layers; the others get at least as many weights
NETWORKS = {"1 layer": (1, 0), "1 layer, 2 dense": (1, 2), "3 layers": (3, 0)}
START_STEPS, START_UNITS = 300, 32
CURVE_POINTS = 40
MODULES = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


@dataclass(frozen=True)
class Job:
    """One network to train: on the machines, or (name "zero" or "learned") on first tokens."""

    name: str
    cell: str
    seed: int
    steps: int


@dataclass(frozen=True)
class Trial:
    """One network trained and tested."""

    seed: int
    weights: int
    right: tuple[float, ...]  # share of right answers, by machine
    losses: tuple[float, ...]  # nats per machine and step, at CURVE_POINTS places


@dataclass(frozen=True)
class Depth:
    """The experiment's numbers."""

    cell: str
    steps: int
    trials: dict[str, tuple[Trial, ...]]  # by network
    widths: dict[str, int]
    first: dict[str, tuple[float, ...]]  # loss of the first token, nats, by start, by seed
    least: float  # nats: the entropy of first tokens

    def errors(self, name: str, machine: int) -> list[float]:
        """Share of wrong answers, by seed."""
        return [1 - one.right[machine] for one in self.trials[name]]

    def as_dict(self) -> dict[str, Any]:
        return {
            "cell": self.cell,
            "steps": self.steps,
            "networks": [
                {
                    "network": name,
                    "units": self.widths[name],
                    "weights": trials[0].weights,
                    "right": [one.right for one in trials],
                    "losses": [one.losses for one in trials],
                }
                for name, trials in self.trials.items()
            ],
            "first_token": {"nats": self.first, "entropy": self.least},
        }

    def panels(self) -> list[Panel]:
        """Loss while learning, and errors by machine."""
        at = [self.steps * (k + 1) / CURVE_POINTS for k in range(CURVE_POINTS)]
        curves, wrong = [], []
        for k, (name, trials) in enumerate(self.trials.items()):
            by_point = list(zip(*(one.losses for one in trials), strict=True))
            low, high = [min(p) for p in by_point], [max(p) for p in by_point]
            mean = [statistics.fmean(p) for p in by_point]
            curves.append(Line(name, at, mean, "-", k, low=low, high=high))
            numbers = range(1, MACHINES + 1)
            by_machine = [[100 * e for e in self.errors(name, m - 1)] for m in numbers]
            wrong.append(
                Line(
                    name,
                    numbers,
                    [statistics.fmean(p) for p in by_machine],
                    "o-",
                    k,
                    low=[min(p) for p in by_machine],
                    high=[max(p) for p in by_machine],
                )
            )
        seeds = len(next(iter(self.trials.values())))
        learning = Panel(
            f"loss while learning ({self.cell}, {seeds} seeds)", "step", "nats", curves, log_y=True
        )
        tested = Panel(
            f"wrong after training, up to {LENGTH} steps", "machine", "%", wrong, x_ticks=(1, 2, 3)
        )
        return [learning, tested]


def experiment(
    *,
    cell: str = "rnn",
    steps: int = 2000,
    seed: int = 1,
    seeds: int = 3,
    progress: Progress | None = None,
) -> Depth:
    """One layer, one with dense ones above it, and three, on the machines; and both starts.

    Raises CharlmError for a cell that is none of MODULES.
    """
    require(cell in MODULES, f"unknown cell {cell!r}: choose {' | '.join(MODULES)}")
    require(steps >= CURVE_POINTS, f"give at least {CURVE_POINTS} steps")
    all_seeds = range(seed, seed + seeds)
    jobs = [Job(name, cell, k, steps) for name in NETWORKS for k in all_seeds]
    starts = [
        Job(name, cell, k, min(steps, START_STEPS))
        for name in ("zero", "learned")
        for k in all_seeds
    ]
    work = [*jobs, *starts]
    found = run_parallel(_do, work, [float(one.steps) for one in work], progress)
    by_job = dict(zip(work, found, strict=True))
    return Depth(
        cell,
        steps,
        {name: tuple(by_job[one] for one in jobs if one.name == name) for name in NETWORKS},
        {name: width_of(cell, name) for name in NETWORKS},
        {
            name: tuple(by_job[one] for one in starts if one.name == name)
            for name in ("zero", "learned")
        },
        _entropy_of_first(),
    )


def _do(job: Job) -> Any:
    """One training, in a worker process."""
    return first_token(job) if job.name in ("zero", "learned") else machines(job)


# --------------------------------------------------------------------------------- the machines


def tables() -> Ids64:
    """T of every machine: the next state by what it reads and its state, (MACHINES, S, S)."""
    return np.random.default_rng(0).integers(0, STATES, (MACHINES, STATES, STATES))


def run_machines(symbols_TB: Ids64) -> Ids64:
    """The states of all machines after each symbol, (T, B, MACHINES); they begin in state 0."""
    T_MSS = tables()
    states_TBM = np.zeros((*symbols_TB.shape, MACHINES), np.int64)
    now_MB = np.zeros((MACHINES, symbols_TB.shape[1]), np.int64)
    for t, read_B in enumerate(symbols_TB):
        for m in range(MACHINES):
            now_MB[m] = read_B = T_MSS[m, read_B, now_MB[m]]
        states_TBM[t] = now_MB.T
    return states_TBM


class Deep(nn.Module):
    """Recurrent layers, dense ones above them, and an output for every machine."""

    def __init__(self, cell: str, layers: int, dense: int, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(STATES, EMBED)
        self.recurrent = MODULES[cell](EMBED, width, layers)
        above = [part for _ in range(dense) for part in (nn.Linear(width, width), nn.Tanh())]
        self.dense = nn.Sequential(*above)
        self.output = nn.Linear(width, MACHINES * STATES)

    def forward(self, ids_TB: Tensor) -> Tensor:
        """Logits, (T, B, MACHINES, STATES)."""
        states, _ = self.recurrent(self.embedding(ids_TB))
        logits: Tensor = self.output(self.dense(states))
        return logits.reshape(*ids_TB.shape, MACHINES, STATES)


def weights_of(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def width_of(cell: str, name: str) -> int:
    """Units of a layer: so many that no network has fewer weights than the one of three layers."""
    layers, dense = NETWORKS[name]
    if layers > 1:
        return LAYERS_WIDTH
    goal = weights_of(Deep(cell, *NETWORKS["3 layers"], LAYERS_WIDTH))
    width = LAYERS_WIDTH
    while weights_of(Deep(cell, layers, dense, width)) < goal:
        width += 1
    return width


def machines(job: Job) -> Trial:
    """Train one network on the machines, and test it on sequences of full length."""
    torch.manual_seed(job.seed)
    network = Deep(job.cell, *NETWORKS[job.name], width_of(job.cell, job.name))
    rng = np.random.default_rng(job.seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    losses: list[float] = []
    for step in range(job.steps):
        done = step / job.steps
        length = SHORTEST + int((LENGTH - SHORTEST) * min(1.0, 2 * done))
        symbols = rng.integers(0, STATES, (length, BATCH))
        logits = network(torch.from_numpy(symbols))
        loss = cross_entropy(logits, torch.from_numpy(run_machines(symbols)))
        take_step(optimizer, network.parameters(), loss, RATE, done)
        losses.append(float(loss.detach()))
    symbols = rng.integers(0, STATES, (LENGTH, TESTED))
    with torch.no_grad():
        answers = network(torch.from_numpy(symbols)).argmax(-1).numpy()
    right_M = (answers == run_machines(symbols)).mean((0, 1))
    parts = np.array_split(np.array(losses), CURVE_POINTS)
    return Trial(
        job.seed,
        weights_of(network),
        tuple(right_M.tolist()),
        tuple(float(part.mean()) for part in parts),
    )


# ------------------------------------------------------------------------------------ the start


class Starting(nn.Module):
    """Predicts every token, the first from its start alone."""

    def __init__(self, cell: str, words: int, learned: bool) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, EMBED)
        self.recurrent = MODULES[cell](EMBED, START_UNITS)
        self.output = nn.Linear(START_UNITS, words)
        parts = 2 if cell == "lstm" else 1
        self.start = nn.Parameter(torch.zeros(parts, 1, 1, START_UNITS), requires_grad=learned)

    def forward(self, ids_TB: Tensor) -> Tensor:
        """Logits of the tokens themselves, (T, B, V)."""
        start = self.start.expand(-1, 1, ids_TB.shape[1], -1).contiguous()
        state = tuple(start) if len(start) > 1 else start[0]
        tops, _ = self.recurrent(self.embedding(ids_TB[:-1]), state)
        logits: Tensor = self.output(torch.cat([start[0], tops]))
        return logits


def first_token(job: Job) -> float:
    """The loss of the first token, nats, after training on the reviews of `shapes`."""
    torch.manual_seed(job.seed)
    rng = Random(job.seed)
    known = texts.vocabulary([texts.review(Random(k))[0] for k in range(2000)])
    network = Starting(job.cell, len(known) + 2, job.name == "learned")
    learned = [weight for weight in network.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(learned, lr=RATE)
    for step in range(job.steps):
        ids, targets = _reviews(rng, BATCH, known)
        loss = cross_entropy(network(ids), targets)
        take_step(optimizer, learned, loss, RATE, step / job.steps)
    with torch.no_grad():
        ids, targets = _reviews(rng, TESTED, known)
        return float(cross_entropy(network(ids)[0], targets[0]))


def _reviews(rng: Random, count: int, known: dict[str, int]) -> tuple[Tensor, Tensor]:
    """Ids and targets, (T, B) each: −1 where a review has ended."""
    rows = [[known[word] for word in texts.review(rng)[0]] for _ in range(count)]
    ids = np.zeros((max(map(len, rows)), count), np.int64)
    targets = np.full(ids.shape, -1)
    for k, row in enumerate(rows):
        ids[: len(row), k] = targets[: len(row), k] = row
    return torch.from_numpy(ids), torch.from_numpy(targets)


def _entropy_of_first() -> float:
    """Nats: of the first words of 20,000 reviews."""
    rng = Random(0)
    counts = Counter(texts.review(rng)[0][0] for _ in range(20_000))
    shares = np.array(list(counts.values())) / 20_000
    return float(-(shares * np.log(shares)).sum())
