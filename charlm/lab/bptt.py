"""Truncated backpropagation through time: what it costs to cut the gradient early.

Williams and Peng (1990). Every network sees the same batches of TOKENS_PER_STEP tokens of
PARALLEL_STREAMS streams, is updated as often and carries its state over; only the gradient is cut,
every T tokens. (Usually T is the length of the batch, which changes the number of updates or
streams as well, and with it the loss.) T = 1: no gradient flows through time at all, but the state
does.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..config import CELLS
from ..display.charts import Line, Panel
from ..errors import require
from ..measures import bits
from ..network.network import new_network
from ..runs import defaults
from ..text.corpus import Corpus
from . import learn
from .progress import Progress, split_progress

TOKENS_PER_STEP = 64  # of each stream
PARALLEL_STREAMS = 16
LENGTHS = (1, 2, 4, 8, 16, 32, 64)  # T
LEARNING_RATE = 6e-3  # of AdamW


@dataclass(frozen=True)
class Point:
    """One cell, its gradient cut every `bptt` tokens; one validation loss per seed."""

    cell: str
    bptt: int
    losses: tuple[float, ...]  # nats per token
    bits_per_char: float  # of the mean loss

    @property
    def loss(self) -> float:
        """Mean over the seeds."""
        return statistics.fmean(self.losses)

    @property
    def spread(self) -> float:
        """Standard deviation over the seeds; NaN if there is one."""
        return statistics.stdev(self.losses) if len(self.losses) > 1 else math.nan

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"loss": self.loss, "spread": self.spread}


@dataclass(frozen=True)
class Truncation:
    """The experiment's numbers."""

    settings: Mapping[str, Any]
    points: tuple[Point, ...]  # cell by cell, T rising

    def points_of(self, cell: str) -> list[Point]:
        return [point for point in self.points if point.cell == cell]

    @property
    def cells(self) -> list[str]:
        return list(dict.fromkeys(point.cell for point in self.points))

    def as_dict(self) -> dict[str, Any]:
        return {**self.settings, "points": [point.as_dict() for point in self.points]}

    def panels(self) -> list[Panel]:
        """Loss against T: a line through the means, a dot for each seed."""
        lines = []
        for cell in self.cells:
            points, colour = self.points_of(cell), CELLS.index(cell)
            lengths = [point.bptt for point in points]
            lines.append(Line(cell, lengths, [point.loss for point in points], "o-", colour))
            for losses in zip(*(point.losses for point in points), strict=True):
                lines.append(Line("", lengths, losses, ".", colour))
        tokens = f"{self.settings['tokens']:,} tokens of training each"
        title = f"validation loss, the gradient cut every T tokens ({tokens})"
        ticks = sorted({point.bptt for point in self.points})
        return [Panel(title, "T", "nats per token", lines, log_x=True, x_ticks=ticks)]


def experiment(
    corpus: Corpus,
    *,
    cells: Sequence[str] = ("rnn", "lstm"),
    lengths: Sequence[int] = LENGTHS,
    hidden: int = 64,
    steps: int = 400,
    seed: int = 1,
    seeds: int = 2,
    progress: Progress | None = None,
) -> Truncation:
    """Validation loss of each cell for each T in `lengths`, over `seeds` seeds from `seed` on.

    Raises CharlmError for an unknown cell, a T that does not divide TOKENS_PER_STEP, or too little
    text.
    """
    for length in lengths:
        require(
            length >= 1 and TOKENS_PER_STEP % length == 0,
            f"a truncation of {length} tokens does not divide the {TOKENS_PER_STEP} of a batch: "
            f"choose {' | '.join(map(str, LENGTHS))}",
        )
    facts = learn.facts_of(corpus, PARALLEL_STREAMS * TOKENS_PER_STEP, TOKENS_PER_STEP)
    text = corpus.valid_text
    bits_per_nat = bits(text.tokens / text.chars)  # bits per character for one nat per token
    reports = split_progress(progress, [1.0] * (len(cells) * len(lengths) * seeds))

    def losses(cell: str, length: int) -> Iterator[float]:
        network = defaults.network({"cell": cell, "hidden": hidden}, facts)
        fixed = {
            "steps": steps,
            "lr": LEARNING_RATE,
            "optimizer": "adamw",
            "bptt": TOKENS_PER_STEP,
            "batch_size": PARALLEL_STREAMS,
        }
        for run_seed in range(seed, seed + seeds):
            config = defaults.training(fixed | {"seed": run_seed}, facts)
            learner = new_network(network, config)
            learn.train_network(learner, config, corpus, next(reports), reach=length)
            yield learn.loss_on(learner, corpus)

    points = []
    for cell in cells:
        for length in sorted(set(lengths)):
            found = tuple(losses(cell, length))
            points.append(Point(cell, length, found, statistics.fmean(found) * bits_per_nat))
    settings = {
        "corpus": corpus.name,
        "level": facts.level,
        "hidden": hidden,
        "steps": steps,
        "tokens": steps * PARALLEL_STREAMS * TOKENS_PER_STEP,
        "seed": seed,
        "seeds": seeds,
        "batch_size": PARALLEL_STREAMS,
        "span": TOKENS_PER_STEP,
    }
    return Truncation(settings, tuple(points))
