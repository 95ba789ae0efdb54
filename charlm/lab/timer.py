"""A timer (Jaeger 2002): how long to stay on is told by a number.

Two inputs: u1, which is 1 at the moment of the start and 0 otherwise, and u2 from 0.1 to 1, which
stays the same. From the start on the output is to be 0.5 for `size` · u2 steps (1,000 at full
size), and 0 before and after:

    y_t = V s_t + c,   trained to the smallest mean (y_t − target_t)²

Long times are reached by short ones: training begins with u2 up to 0.2 and goes up to 1. The state
at the beginning is learned with the weights. The error that is told leaves out a hundredth of
`size` around the switch-off on either side, ±10 steps at full size, as nobody could be that exact.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..display.charts import Line, Panel
from ..errors import require
from .chrono import set_gate_biases
from .descent import take_step
from .learn import run_parallel
from .palette import colour_of
from .progress import Progress

Floats: TypeAlias = npt.NDArray[np.float32]

MODULES: dict[str, Callable[[int, int], nn.RNNBase]] = {
    "rnn": nn.RNN,
    "gru": nn.GRU,
    "lstm": nn.LSTM,
}
ON = 0.5
FULL_SIZE = 1000
LATEST_START = 30  # steps
TAIL = 0.1  # of `size`, after the last switch-off
SMALLEST_U2 = 0.1
STAGES = ((0.2, 0.22), (0.4, 0.18), (0.7, 0.18), (1.0, 0.42))  # largest u2, part of the steps
BATCH, HIDDEN_UNITS, LEARNING_RATE = 16, 16, 1e-2
SHOWN = (0.15, 0.5, 0.95)  # u2 of the outputs in the picture
TEST_U2 = 46  # values of u2, evenly spaced, that are tested


@dataclass(frozen=True)
class Job:
    """One network to train."""

    cell: str
    seed: int
    size: int
    steps: int


@dataclass(frozen=True)
class Trial:
    """One network: how wrong its output is."""

    cell: str
    seed: int
    errors: tuple[float, ...]  # mean |output − target| around no switch-off, by u2
    late: tuple[int, ...]  # steps from the switch-off wanted to that of the output, by u2
    outputs: tuple[tuple[float, ...], ...]  # for u2 in SHOWN

    @property
    def error(self) -> float:
        """The mean over all u2, outside the switch-off's neighbourhood."""
        return statistics.fmean(self.errors)

    @property
    def lateness(self) -> float:
        """The mean number of steps that the switch-off is off the mark."""
        return statistics.fmean(map(abs, self.late))


@dataclass(frozen=True)
class Timer:
    """The experiment's numbers."""

    size: int
    steps: int
    tolerance: int
    u2: tuple[float, ...]
    trials: tuple[Trial, ...]
    targets: tuple[tuple[float, ...], ...]  # for u2 in SHOWN

    @property
    def cells(self) -> list[str]:
        return list(dict.fromkeys(one.cell for one in self.trials))

    def of_cell(self, cell: str) -> list[Trial]:
        return [one for one in self.trials if one.cell == cell]

    def as_dict(self) -> dict[str, Any]:
        return {
            "size": self.size,
            "steps": self.steps,
            "hidden": HIDDEN_UNITS,
            "tolerance": self.tolerance,
            "u2": self.u2,
            "trials": [
                {
                    "cell": one.cell,
                    "seed": one.seed,
                    "error": one.error,
                    "steps_off": one.lateness,
                    "errors": one.errors,
                    "late": one.late,
                }
                for one in self.trials
            ],
        }

    def panels(self) -> list[Panel]:
        """The first seed's outputs over their targets, by cell, and errors by u2."""
        found = []
        for cell in self.cells:
            lines = []
            first = self.of_cell(cell)[0]
            for k, u2 in enumerate(SHOWN):
                target, output = self.targets[k], first.outputs[k]
                lines.append(Line("", range(len(target)), target, "-", "#c8c8c8", 5.0))
                lines.append(Line(f"u2 = {u2:g}", range(len(output)), output, "-", k + 3))
            title = f"{cell}: output over target (grey)"
            found.append(Panel(title, "step", "output", lines, y_range=(-0.25, 0.75)))
        lines = []
        for cell in self.cells:
            for k, one in enumerate(self.of_cell(cell)):
                lines.append(
                    Line("" if k else cell, self.u2, one.errors, "o-", colour_of(cell), 1.0)
                )
        title = f"mean |error| outside ±{self.tolerance} steps of the switch-off, each seed"
        found.append(Panel(title, "u2", "", lines, log_y=True))
        return found


def experiment(
    *,
    cells: Sequence[str] = tuple(MODULES),
    size: int = FULL_SIZE,
    steps: int = 1000,
    seed: int = 1,
    seeds: int = 1,
    progress: Progress | None = None,
) -> Timer:
    """Train a timer of each cell, for `seeds` seeds from `seed` on, and test it.

    size: steps that u2 = 1 stands for. steps: of each training.
    Raises CharlmError for a cell that is none of MODULES or a size below 20.
    """
    for cell in cells:
        require(cell in MODULES, f"unknown cell {cell!r}: choose {' | '.join(MODULES)}")
    require(size >= 20 and steps >= 1, "the size must be at least 20, and the steps at least 1")
    jobs = [Job(cell, seed + k, size, steps) for cell in cells for k in range(seeds)]
    trials = run_parallel(train_and_test, jobs, [1.0] * len(jobs), progress)
    shown = np.array(SHOWN)
    targets = example(shown, np.zeros(len(shown), np.int64), size)[1].T
    return Timer(
        size,
        steps,
        tolerance(size),
        tuple(tested_u2().tolist()),
        tuple(trials),
        tuple(map(tuple, targets.tolist())),
    )


def tolerance(size: int) -> int:
    """Steps on either side of the switch-off that no error is counted in."""
    return max(1, size // 100)


def tested_u2() -> npt.NDArray[np.float64]:
    """The u2 that are tested, from SMALLEST_U2 to 1."""
    return np.linspace(SMALLEST_U2, 1.0, TEST_U2)


def example(
    u2: npt.NDArray[np.float64], start: npt.NDArray[np.int64], size: int
) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """Inputs (T, B, 2), targets (T, B) and the first step after each switch-off, (B,)."""
    end = start + np.round(size * u2).astype(np.int64)
    T = int(end.max() + TAIL * size) + 1
    t = np.arange(T)[:, None]
    x_TB2 = np.zeros((T, len(u2), 2), np.float32)
    x_TB2[:, :, 0] = t == start
    x_TB2[:, :, 1] = u2
    y_TB = np.where((t >= start) & (t < end), ON, 0.0).astype(np.float32)
    return x_TB2, y_TB, end


class TimerNetwork(nn.Module):
    """A recurrent layer of torch's with a learned start, and a linear output."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        torch.manual_seed(job.seed)
        self.recurrent = MODULES[job.cell](2, HIDDEN_UNITS)
        self.output = nn.Linear(HIDDEN_UNITS, 1)
        states = 2 if job.cell == "lstm" else 1
        self.start = nn.Parameter(torch.zeros(states, 1, 1, HIDDEN_UNITS))
        rng = np.random.default_rng(job.seed)
        bias_ih, bias_hh = self.recurrent.bias_ih_l0, self.recurrent.bias_hh_l0
        assert isinstance(bias_ih, Tensor)
        assert isinstance(bias_hh, Tensor)
        set_gate_biases(bias_ih, bias_hh, job.cell, job.size, rng)

    def forward(self, x_TB2: Tensor) -> Tensor:
        """The outputs, (T, B)."""
        start = self.start.expand(-1, 1, x_TB2.shape[1], -1).contiguous()
        state = tuple(start) if len(start) > 1 else start[0]
        h_TBH, _ = self.recurrent(x_TB2, state)
        y_TB1: Tensor = self.output(h_TBH)
        return y_TB1.squeeze(-1)


def train_and_test(job: Job) -> Trial:
    """Train one network, in a worker process, and test it."""
    network = TimerNetwork(job)
    rng = np.random.default_rng((job.seed, job.size))
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.99))
    for step in range(job.steps):
        u2 = rng.uniform(SMALLEST_U2, largest_u2(step / job.steps), BATCH)
        x, y, _ = example(u2, rng.integers(0, LATEST_START, BATCH), job.size)
        loss = (network(torch.from_numpy(x)) - torch.from_numpy(y)).square().mean()
        take_step(optimizer, network.parameters(), loss, LEARNING_RATE, step / job.steps)
    return _tested(network, job)


def largest_u2(done: float) -> float:
    """The largest u2 trained on after a part of the training, see STAGES."""
    for u2, part in STAGES:
        if done < part:
            return u2
        done -= part
    return 1.0


@torch.no_grad()
def _tested(network: TimerNetwork, job: Job) -> Trial:
    u2 = tested_u2()
    x, target_TB, end = example(u2, np.full(len(u2), LATEST_START // 2), job.size)
    output_TB = network(torch.from_numpy(x)).numpy()
    t = np.arange(len(x))[:, None]
    counted = np.abs(t - end) > tolerance(job.size)
    errors = (np.abs(output_TB - target_TB) * counted).sum(0) / counted.sum(0)
    on = output_TB > ON / 2
    last_on = np.where(on.any(0), len(x) - on[::-1].argmax(0), 0)
    shown = np.array(SHOWN)
    outputs = network(torch.from_numpy(example(shown, np.zeros(3, np.int64), job.size)[0])).T
    return Trial(
        job.cell,
        job.seed,
        tuple(errors.tolist()),
        tuple((last_on - end).tolist()),
        tuple(map(tuple, outputs.tolist())),
    )
