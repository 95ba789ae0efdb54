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
from ..models.recurrent import RecurrentLM
from ..network.network import Network, new_network
from ..runs import defaults
from ..runs.defaults import Facts
from ..text.corpus import Corpus
from . import lags, learn
from .palette import colour_of
from .progress import Progress

TOKENS_PER_STEP = 64  # of each stream
PARALLEL_STREAMS = 16
STEP_TOKENS = PARALLEL_STREAMS * TOKENS_PER_STEP
LENGTHS = (1, 2, 4, 8, 16, 32, 64)  # T
LEARNING_RATE = 6e-3  # of AdamW
LAG = 10  # of the language: from a line's first symbol to the one that it determines
LAG_LINES = 12_000  # of the language's text
LAG_STEPS = 2  # trainings on it are so many times as long


@dataclass(frozen=True)
class Job:
    """One network to train."""

    cell: str
    bptt: int  # T
    seed: int
    hidden: int
    steps: int
    corpus: Corpus
    at_ends: bool = False  # its loss counts at the language's end symbols alone, in bits


@dataclass(frozen=True)
class Point:
    """One cell, its gradient cut every `bptt` tokens; one validation loss per seed."""

    cell: str
    bptt: int
    losses: tuple[float, ...]  # nats per token
    bits_per_char: float = math.nan  # of the mean loss

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
    facts = learn.facts_of(corpus, STEP_TOKENS, TOKENS_PER_STEP)
    chosen = sorted(set(lengths))
    each = [
        (cell, length, run_seed)
        for cell in cells
        for length in chosen
        for run_seed in range(seed, seed + seeds)
    ]
    with lag_corpus() as language:
        jobs = [Job(*one, hidden, steps, corpus) for one in each]
        jobs += [Job(*one, hidden, LAG_STEPS * steps, language, at_ends=True) for one in each]
        found = learn.run_parallel(loss_of, jobs, [float(job.steps) for job in jobs], progress)

    def points(losses: Sequence[float]) -> tuple[Point, ...]:
        by_seed = zip(*[iter(losses)] * seeds, strict=True)
        places = ((cell, length) for cell in cells for length in chosen)
        return tuple(
            Point(cell, length, one) for (cell, length), one in zip(places, by_seed, strict=True)
        )

    text = corpus.valid_text
    bits_per_nat = bits(text.tokens / text.chars)  # bits per character for one nat per token
    on_text = tuple(
        replace(point, bits_per_char=point.loss * bits_per_nat)
        for point in points(found[: len(each)])
    )
    settings = {
        "corpus": corpus.name,
        "level": facts.level,
        "hidden": hidden,
        "steps": steps,
        "tokens": steps * STEP_TOKENS,
        "seed": seed,
        "seeds": seeds,
        "batch_size": PARALLEL_STREAMS,
        "span": TOKENS_PER_STEP,
    }
    return Truncation(settings, on_text, points(found[len(each) :]))


def loss_of(job: Job) -> float:
    """Train, in a worker process; the loss on validation text: see `Job.at_ends`."""
    corpus = job.corpus
    learner = _trained(job, learn.facts_of(corpus, STEP_TOKENS, TOKENS_PER_STEP))
    if not job.at_ends:
        return learn.loss_on(learner, corpus)
    lm = RecurrentLM(learner.config, learner.tensors(), corpus.tokenizer.eos)
    ids = np.asarray(corpus.valid, np.int64)
    nats_1T, _ = lm.read(lm.start(1), ids[None])
    ends = np.isin(ids, corpus.tokenizer.encode("AB"))
    return bits(-float(nats_1T[0, ends].mean(dtype=np.float64)))


def _trained(job: Job, facts: Facts) -> Network:
    """A network trained with its gradient cut every `job.bptt` tokens."""
    network = defaults.network({"cell": job.cell, "hidden": job.hidden}, facts)
    fixed = {
        "seed": job.seed,
        "steps": job.steps,
        "lr": LEARNING_RATE,
        "optimizer": "adamw",
        "bptt": TOKENS_PER_STEP,
        "batch_size": PARALLEL_STREAMS,
    }
    config = defaults.training(fixed, facts)
    learner = new_network(network, config)
    return learn.train_network(learner, config, job.corpus, reach=job.bptt)


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
