"""Truncated backpropagation through time: what it costs to cut the gradient early.

Williams and Peng (1990). Every network sees the same batches of TOKENS_PER_STEP tokens of
PARALLEL_STREAMS streams, is updated as often and carries its state over; only the gradient is cut,
every T tokens. (Usually T is the length of the batch, which changes the number of updates or
streams as well, and with it the loss.) T = 1: no gradient flows through time at all, but the state
does.

Two texts are learned: the user's, in which little depends on what lies far back, and a language in
which the end of every line is determined by its first symbol, LAG symbols earlier (see `lags`).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ..config import TokenizerConfig
from ..display.charts import Line, Panel
from ..errors import require
from ..measures import bits
from ..network.network import new_network
from ..runs import defaults
from ..text.corpus import Corpus
from . import lags, learn
from .palette import colour_of
from .progress import Progress, split_progress

TOKENS_PER_STEP = 64  # of each stream
PARALLEL_STREAMS = 16
LENGTHS = (1, 2, 4, 8, 16, 32, 64)  # T
LEARNING_RATE = 6e-3  # of AdamW
LAG = 10  # of the language: from a line's first symbol to the one that it determines
LAG_LINES = 12_000  # of the language's text
LAG_STEPS = 3  # trainings on it are so many times as long


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
    points: tuple[Point, ...]  # on the text: cell by cell, T rising
    lagged: tuple[Point, ...]  # on the language; the losses are those at the end symbol

    def points_of(self, cell: str) -> list[Point]:
        return [point for point in self.points if point.cell == cell]

    def lagged_of(self, cell: str) -> list[Point]:
        return [point for point in self.lagged if point.cell == cell]

    @property
    def lag(self) -> int:
        return LAG

    @property
    def cells(self) -> list[str]:
        return list(dict.fromkeys(point.cell for point in self.points))

    def as_dict(self) -> dict[str, Any]:
        return {
            **self.settings,
            "lag": LAG,
            "points": [point.as_dict() for point in self.points],
            "lagged": [point.as_dict() for point in self.lagged],
        }

    def panels(self) -> list[Panel]:
        """Loss against T, on the text and on the language: the means, in bands of all seeds."""
        tokens = f"{self.settings['tokens']:,} tokens of training each"
        ticks = sorted({point.bptt for point in self.points})
        language = f"the symbol that another, {LAG} symbols before it, determines"
        panels = []
        for title, unit, points_of in (
            (f"{self.settings['corpus']}: validation loss ({tokens})", "nats", self.points_of),
            (language, "bits: 1 by chance, 0 if recalled", self.lagged_of),
        ):
            lines = []
            for cell in self.cells:
                points = points_of(cell)
                lines.append(
                    Line(
                        cell,
                        [point.bptt for point in points],
                        [point.loss for point in points],
                        "o-",
                        colour_of(cell),
                        low=[min(point.losses) for point in points],
                        high=[max(point.losses) for point in points],
                    )
                )
            x = "T, tokens after which the gradient is cut"
            panels.append(Panel(title, x, unit, lines, log_x=True, x_ticks=ticks))
        return panels


def experiment(
    corpus: Corpus,
    *,
    cells: Sequence[str] = ("rnn", "lstm"),
    lengths: Sequence[int] = LENGTHS,
    hidden: int = 64,
    steps: int = 400,
    seed: int = 1,
    seeds: int = 3,
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
    sizes = [float(steps)] * (len(cells) * len(set(lengths)) * seeds)
    reports = split_progress(progress, [*sizes, *(LAG_STEPS * size for size in sizes)])
    all_seeds = range(seed, seed + seeds)

    def losses(text: Corpus, cell: str, length: int, steps: int) -> tuple[float, ...]:
        own = replace(facts, vocab_size=text.tokenizer.vocab_size)
        network = defaults.network({"cell": cell, "hidden": hidden}, own)
        fixed = {
            "steps": steps,
            "lr": LEARNING_RATE,
            "optimizer": "adamw",
            "bptt": TOKENS_PER_STEP,
            "batch_size": PARALLEL_STREAMS,
        }
        found = []
        for run_seed in all_seeds:
            config = defaults.training(fixed | {"seed": run_seed}, own)
            learner = new_network(network, config)
            learn.train_network(learner, config, text, next(reports), reach=length)
            found.append(learn.loss_on(learner, text))
        return tuple(found)

    points, lagged = [], []
    for cell in cells:
        for length in sorted(set(lengths)):
            found = losses(corpus, cell, length, steps)
            points.append(Point(cell, length, found, statistics.fmean(found) * bits_per_nat))
    with lag_corpus() as language:
        for cell in cells:
            for length in sorted(set(lengths)):
                all_symbols = losses(language, cell, length, LAG_STEPS * steps)
                at_end = tuple(bits_at_end(loss) for loss in all_symbols)
                lagged.append(Point(cell, length, at_end, math.nan))
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
    return Truncation(settings, tuple(points), tuple(lagged))


@contextmanager
def lag_corpus() -> Iterator[Corpus]:
    """The language as a text of characters, a sentence a line; always the same."""
    rng = np.random.default_rng(0)
    ids_TB, ends = lags.sentences(rng, LAG, LAG_LINES)
    letters = np.array(list("wxyzabAB"))  # fillers, first symbols, ends
    lines = np.concatenate([letters[ids_TB], letters[ends][None], np.full((1, LAG_LINES), "\n")])
    with TemporaryDirectory(prefix="charlm-") as directory:
        path = Path(directory) / "lag.txt"
        path.write_text("".join(lines.T.ravel()), "utf-8")
        with learn.corpus_of(str(path), TokenizerConfig("char")) as corpus:
            yield corpus


def bits_at_end(nats_per_token: float) -> float:
    """What of a loss on the language falls to the ends of lines' sentences, in bits.

    All else is as good as it can be after a few steps: of a line of LAG + 2 tokens the first costs
    1 bit, each filler log₂ FILLERS, the line's end nothing.
    """
    return bits(nats_per_token) * (LAG + 2) - 1 - (LAG - 1) * math.log2(lags.FILLERS)
