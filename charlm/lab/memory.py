"""How far back networks and n-grams remember, and how far networks count.

The languages are those of `lags` and `counter`; every k is a separate language with a separate
network.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import takewhile
from typing import Any

import numpy as np

from ..config import CELLS
from ..display.charts import Line, Panel
from ..errors import require
from . import counter
from . import lags as language
from .learn import run_parallel
from .palette import colour_of
from .progress import Progress

LAGS = (1, 2, 3, 4, 5, 10, 20, 30, 100)
ORDERS = (2, 3, 5)
COMPARED_CELLS = ("rnn", "lstm", "lstm-peephole", "gru")
COUNTER_WEIGHT = 150.0  # cost of training a counter, in units of lag


@dataclass(frozen=True)
class Recall:
    """How well a model recalls the first symbol."""

    model: str
    accuracy: dict[int, tuple[float, ...]]  # by lag, one per seed; chance is 0.5
    steps: dict[int, tuple[int, ...]]  # taken, by lag; none for n-gram models

    def mean(self, lag: int) -> float:
        return statistics.fmean(self.accuracy[lag])


@dataclass(frozen=True)
class Count:
    """How far one cell counts."""

    cell: str
    right: tuple[tuple[bool, ...], ...]  # by seed: whether aⁿbⁿ ends where it should, n = 1 …

    @property
    def reach(self) -> tuple[int, ...]:
        """By seed, the largest n up to which all is right."""
        return tuple((*own, False).index(False) for own in self.right)


@dataclass(frozen=True)
class Memory:
    """The experiment's numbers."""

    seeds: tuple[int, ...]
    hidden: int
    max_steps: int
    recalls: tuple[Recall, ...]
    counts: tuple[Count, ...]

    @property
    def lags(self) -> list[int]:
        return sorted(self.recalls[0].accuracy)

    def kept(self, one: Recall) -> int:
        """The lag up to which every seed recalls (99 %) at all lags; 0: not even at the first."""
        good = takewhile(lambda lag: min(one.accuracy[lag]) >= 0.99, self.lags)
        return max(good, default=0)

    def lost(self, one: Recall) -> int | None:
        """The lag from which on every seed is within ten points of chance, if there is one."""
        bad = takewhile(lambda lag: max(one.accuracy[lag]) <= 0.6, reversed(self.lags))
        return min(bad, default=None)

    def as_dict(self) -> dict[str, Any]:
        return {
            "seeds": self.seeds,
            "hidden": self.hidden,
            "most": self.max_steps,
            "chance": 0.5,
            "gate_biases": "chrono",
            "recall": [asdict(one) for one in self.recalls],
            "trained_up_to": counter.MAX_TRAINED,
            "counter_steps": counter.MAX_STEPS,
            "counter_hidden": counter.HIDDEN_UNITS,
            "counting": [{"cell": one.cell, "reach": one.reach} for one in self.counts],
        }

    def panels(self) -> list[Panel]:
        """Accuracy against lag, and counting against n."""
        recalled = []
        for k, one in enumerate(self.recalls):
            style = "o-" if one.model in CELLS else "s--"
            means = [100 * one.mean(lag) for lag in self.lags]
            width = max(0.8, 5.0 - 0.8 * k)  # many coincide at 100 %: the first is seen behind
            colour = colour_of(one.model, k)
            recalled.append(Line(one.model, self.lags, means, style, colour, width))
        title = f"which end? ({len(self.seeds)} seeds, {self.hidden} units)"
        lag = Panel(
            title,
            "k, symbols back",
            "% right",
            recalled,
            log_x=True,
            x_ticks=self.lags,
            y_range=(40, 104),
            levels=[("chance", 50)],
        )
        if not self.counts:
            return [lag]
        numbers = range(1, counter.MAX_TESTED + 1)
        counted = []
        for k, one_count in enumerate(self.counts):
            percent = (100 * np.mean(one_count.right, axis=0)).tolist()
            width = max(0.8, 4.0 - 0.8 * k)
            counted.append(
                Line(one_count.cell, numbers, percent, "-", colour_of(one_count.cell), width)
            )
        end = [counter.MAX_TRAINED, counter.MAX_TRAINED]
        learned = Line("trained up to here", end, [0, 100], ":", "#000000")
        counting = Panel(
            "aⁿbⁿ: does it end where it should?", "n", "% of seeds right", [*counted, learned]
        )
        return [lag, counting]


def experiment(
    *,
    cells: Sequence[str] = COMPARED_CELLS,
    lags: Sequence[int] = LAGS,
    hidden: int = 64,
    steps: int = 1000,
    seed: int = 1,
    seeds: int = 3,
    count: bool = True,
    progress: Progress | None = None,
) -> Memory:
    """Recall over each lag and counting, by cell and n-gram model, over `seeds` seeds from `seed`.

    steps: maximum for each language. count: also run the counter. Raises
    CharlmError for an unknown cell or an impossible lag.
    """
    require(bool(lags) and all(1 <= lag <= 1000 for lag in lags), "lags must be from 1 to 1,000")
    for cell in cells:
        require(cell in CELLS, f"unknown cell {cell!r}: choose {' | '.join(CELLS)}")
    all_seeds, all_lags = tuple(range(seed, seed + seeds)), sorted(set(lags))

    def job(cell: str, lag: int, k: int) -> language.Job:
        return language.Job(cell, lag, k, hidden, steps)

    jobs = [job(cell, lag, k) for cell in cells for lag in all_lags for k in all_seeds]
    timed = [counter.Job(cell, k) for cell in cells for k in all_seeds] if count else []
    weights = [float(one.lag) for one in jobs] + [COUNTER_WEIGHT] * len(timed)
    work: list[language.Job | counter.Job] = [*jobs, *timed]
    found = run_parallel(_do, work, weights, progress)
    learned = dict(zip(jobs, found, strict=False))
    counted = dict(zip(timed, found[len(jobs) :], strict=True))
    recalls = []
    for cell in cells:
        by_lag = {lag: [learned[job(cell, lag, k)] for k in all_seeds] for lag in all_lags}
        accuracy = {lag: tuple(rate for rate, _ in runs) for lag, runs in by_lag.items()}
        taken = {lag: tuple(took for _, took in runs) for lag, runs in by_lag.items()}
        recalls.append(Recall(cell, accuracy, taken))
    for order in ORDERS:
        shares = {
            lag: tuple(language.recall_of_ngram(order, lag, k) for k in all_seeds)
            for lag in all_lags
        }
        recalls.append(Recall(f"{order}-gram", shares, {}))
    counts = [
        Count(cell, tuple(counted[counter.Job(cell, k)] for k in all_seeds))
        for cell in cells
        if count
    ]
    return Memory(all_seeds, hidden, steps, tuple(recalls), tuple(counts))


def _do(job: language.Job | counter.Job) -> Any:
    """One training, in a worker process."""
    return counter.count(job) if isinstance(job, counter.Job) else language.recall(job)
