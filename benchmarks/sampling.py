"""Ways of sampling at equal entropy: variety, loops, copies, and what a held-out judge thinks.

    python benchmarks/sampling.py TEXT [--level word] [--model ngram] [--entropy 0.8] [--json FILE]

A model is made of the first half of TEXT and a judge, an n-gram model of characters, of the second:
the judge has seen none of what the model may copy. Each way of sampling has a parameter, which is
tuned by bisection until the distributions that are drawn from have, on average, the same entropy: a
given share of that of plain sampling. So no way looks better only for being more cautious. Plain
sampling, at its own entropy, and as much of the second half itself (which the judge knows, so
without its verdict) stand beside.

distinct-n: different n-grams of tokens in a text, of all in it (Li et al. 2016).
loops: tokens inside an n-gram that the same text had before.
copied: tokens in a row that stand in the training text, around each token on average, and at most.
judge: the judge's perplexity per character. ± is one standard error over seeds.
"""

from __future__ import annotations

import math
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from common import charlm as command
from common import head_and_next, write_json
from rich.console import Console
from rich.table import Table

import charlm
from charlm.lm import Ids, Nats
from charlm.system import machine
from charlm.tasks.sample import draw_batch, generator_of
from charlm.tasks.sampling_filters import Filters, entropy, normalise
from charlm.tasks.seen_ngrams import Guard, NoCopy, NoRepeat
from charlm.tasks.token_choice import Chooser

ORDERS = (1, 2, 3, 4)  # of distinct-n
LOOP = {"word": 4, "subword": 6}  # n-grams whose recurrence is a loop, by level
LOOP_OF_CHARACTERS = 12
GUARD = {"word": 3, "subword": 5}  # N of no-repeat and no-copy, by level
GUARD_OF_CHARACTERS = 11
TOLERANCE = 0.01  # of the entropy that is aimed at
MAX_TRIALS = 12
MAX_COPY = 200  # tokens; longer copies count as so long


@dataclass
class Recorded:
    """Filters that record the entropy of what they give."""

    filters: Filters
    entropies: list[float] = field(default_factory=list)

    def __call__(self, nats_BV: Nats) -> Nats:
        kept = normalise(self.filters(nats_BV))
        drawn_from = (nats_BV != 0).any(axis=1)  # else guards have left nothing
        self.entropies += entropy(kept[drawn_from]).tolist()
        return kept


@dataclass(frozen=True)
class Way:
    """A way of sampling with a parameter; its entropy grows (or falls) with it."""

    filters: Callable[[float], Filters]
    low: float
    high: float
    grows: bool = True
    guards: tuple[Guard, ...] = ()


class Writer:
    """Draws texts from a model."""

    def __init__(self, model: charlm.Model, texts: int, tokens: int) -> None:
        self.lm, self.tokenizer = model.causal, model.tokenizer
        self.texts, self.tokens = texts, tokens

    def __call__(self, way: Way, parameter: float, seed: int) -> tuple[list[Ids], float]:
        """Texts, and the mean entropy of what their tokens were drawn from, nats."""
        recorded = Recorded(way.filters(parameter))
        unk = [] if self.tokenizer.unk is None else [self.tokenizer.unk]
        chooser = Chooser(recorded, np.array(unk, np.int64), guards=way.guards)
        state = self.lm.start(self.texts)
        generators = [generator_of(seed, number) for number in range(self.texts)]
        none: Ids = np.zeros(0, np.int64)
        drawn = draw_batch(self.lm, state, none, generators, chooser, self.tokens, self.tokens + 1)
        return [ids for ids, _, _ in drawn], statistics.fmean(recorded.entropies)

    def tuned(self, way: Way, goal: float) -> float:
        """The parameter with which the entropy is `goal`, or as near as it comes."""
        low, high = way.low, way.high
        tried: dict[float, float] = {}  # how far from the goal
        for _ in range(MAX_TRIALS):
            parameter = (low + high) / 2
            _, found = self(way, parameter, seed=0)
            tried[parameter] = abs(found - goal)
            if tried[parameter] < TOLERANCE * goal:
                break
            if (found < goal) == way.grows:
                low = parameter
            else:
                high = parameter
        return min(tried, key=tried.__getitem__)


def ways(vocab_size: int, n: int, training_text: Ids) -> dict[str, Way]:
    """The ways that are compared; parameters on scales on which bisection is quick."""

    def temperature(parameter: float) -> Filters:
        return Filters(temperature=parameter)

    return {
        "temperature": Way(temperature, 0.05, 1.0),
        "top-k": Way(lambda k: Filters(top_k=round(2**k)), 0.0, math.log2(vocab_size)),
        "top-p": Way(lambda p: Filters(top_p=p), 0.01, 1.0),
        "min-p": Way(lambda p: Filters(min_p=10**p), -5.0, 0.0, grows=False),
        "typical": Way(lambda p: Filters(typical=p), 0.01, 1.0),
        f"no-repeat {n}": Way(temperature, 0.05, 2.0, guards=(NoRepeat(n),)),
        f"no-copy {n}": Way(temperature, 0.05, 2.0, guards=(NoCopy(n, training_text),)),
    }


class Measure:
    """What the texts are like."""

    def __init__(self, training_text: Ids, judge: charlm.Model, model: charlm.Model) -> None:
        self.text, self.judge, self.tokenizer = training_text, judge, model.tokenizer
        self.loop = LOOP.get(self.tokenizer.level, LOOP_OF_CHARACTERS)
        self.known: dict[int, Ids] = {}  # hashes of the training text's n-grams, by n

    def __call__(self, texts: list[Ids]) -> dict[str, float]:
        """All measures of some texts."""
        found = {
            f"distinct-{n}": statistics.fmean(distinct(ids, n) for ids in texts if len(ids) >= n)
            for n in ORDERS
        }
        copies = self.copied(texts)
        written = "".join(self.tokenizer.decode(ids).rstrip("\n") + "\n" for ids in texts)
        return found | {
            "loops": float(np.concatenate([looped(ids, self.loop) for ids in texts]).mean()),
            "copied": float(copies.mean()),
            "longest": float(copies.max()),
            "judge": math.exp(self.judge.evaluate(written).nats_per_char),
        }

    def copied(self, texts: list[Ids]) -> Ids:
        """(N,) the length of the longest copy that each token of the texts is in."""
        longest = [np.zeros(len(ids), np.int64) for ids in texts]
        for n in range(1, MAX_COPY + 1):
            if n not in self.known:
                self.known[n] = np.sort(hashes(self.text, n))
            known, any_found = self.known[n], False
            for ids, length in zip(texts, longest, strict=True):
                found = hashes(ids, n)
                places = np.minimum(np.searchsorted(known, found), len(known) - 1)
                begins = np.flatnonzero(known[places] == found)
                length[np.unique(begins[:, None] + np.arange(n))] = n
                any_found |= len(begins) > 0
            if not any_found:
                break
        return np.concatenate(longest)


def distinct(ids: Ids, n: int) -> float:
    """Different n-grams of all n-grams of a text."""
    return len(np.unique(hashes(ids, n))) / (len(ids) - n + 1)


def looped(ids: Ids, n: int) -> Ids:
    """(T,) whether each token is in an n-gram that has occurred before."""
    inside = np.zeros(len(ids), np.int64)
    found = hashes(ids, n)
    again = np.ones(len(found), bool)
    again[np.unique(found, return_index=True)[1]] = False
    inside[np.unique(np.flatnonzero(again)[:, None] + np.arange(n))] = 1
    return inside


def hashes(ids: Ids, n: int) -> Ids:
    """(T − n + 1,) a 64-bit hash of every n tokens in a row."""
    count = max(0, len(ids) - n + 1)
    mixed = np.zeros(count, np.uint64)
    tokens = (ids.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    for offset in range(n if count else 0):
        mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed += tokens[offset : offset + count]
    return mixed


def main(
    file: Annotated[Path, typer.Argument(metavar="TEXT")],
    level: Annotated[str, typer.Option()] = "char",
    split: Annotated[str, typer.Option(help="Where words end.")] = "unicode",
    min_count: Annotated[int, typer.Option()] = 1,
    model: Annotated[str, typer.Option(help="ngram, or the minutes to train a network.")] = "1",
    share: Annotated[float, typer.Option("--entropy", help="Of plain sampling's.")] = 0.8,
    texts: Annotated[int, typer.Option(help="At a time.")] = 32,
    tokens: Annotated[int, typer.Option(help="Of each text.")] = 400,
    seeds: Annotated[int, typer.Option(min=2)] = 5,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write results there.")] = None,
) -> None:
    """Tune every way of sampling to one entropy, and compare the texts."""
    console = Console()
    console.print(f"{machine.processor()}, {machine.cores()} cores")
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        size = file.stat().st_size // 2
        head_and_next(file, size, (size, size), place / "first.txt", place / "second.txt")
        how = ["--level", level, "--min-count", str(min_count)] if level != "byte" else []
        how += ["--split", split] if level == "word" else []
        verb = ["ngram"] if model == "ngram" else ["train", "--minutes", model]
        command(*verb, str(place / "first.txt"), *how, "--out", str(place / "model"))
        author = charlm.load(place / "model")
        text = author.tokenizer.encode((place / "first.txt").read_text("utf-8"))
        other = author.tokenizer.encode((place / "second.txt").read_text("utf-8"))
        (place / "judge.txt").write_text(author.tokenizer.decode(other), "utf-8")  # spaced alike
        command("ngram", str(place / "judge.txt"), "--out", str(place / "judge"))
        judge = charlm.load(place / "judge")
    measure = Measure(text, judge, author)
    write = Writer(author, texts, tokens)
    plain = Way(lambda _: Filters(), 0.0, 0.0)
    _, most = write(plain, 0.0, seed=0)
    goal = share * most
    results: list[dict[str, Any]] = []

    def record(who: str, parameter: str, runs: list[tuple[list[Ids], float]]) -> None:
        rows = [{"entropy": nats, **measure(ids)} for ids, nats in runs]
        results.append({"who": who, "parameter": parameter, **over_seeds(rows)})

    record("plain", "", [write(plain, 0.0, seed) for seed in range(1, seeds + 1)])
    n = GUARD.get(level, GUARD_OF_CHARACTERS)
    for name, way in ways(author.tokenizer.vocab_size, n, text).items():
        parameter = write.tuned(way, goal)
        shown = shown_parameter(way.filters(parameter))
        record(name, shown, [write(way, parameter, seed) for seed in range(1, seeds + 1)])
    rng = np.random.default_rng(0)
    pieces = [[other[i : i + tokens] for i in rng.integers(0, len(other) - tokens, texts)]]
    people = [{"entropy": math.nan, **measure(piece), "judge": math.nan} for piece in pieces]
    results.append({"who": "held-out text", "parameter": "", **over_seeds(people)})
    show(console, file.name, results, goal)
    write_json(json_file, {"text": file.name, "level": level, "goal": goal, "results": results})


def shown_parameter(filters: Filters) -> str:
    """The one setting of some filters that is not at its default."""
    changed = {k: v for k, v in vars(filters).items() if v != getattr(Filters, k)}
    return ", ".join(f"{value:.3g}" for value in changed.values())


def over_seeds(rows: Sequence[Mapping[str, float]]) -> dict[str, tuple[float, float]]:
    """The mean of every measure, and its standard error."""
    found = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
        found[name] = (statistics.fmean(values), error)
    return found


def show(console: Console, name: str, results: list[dict[str, Any]], goal: float) -> None:
    """The table."""
    title = f"{name}, all but plain at {goal:.3f} nats per token"
    table = Table(box=None, title=title, title_justify="left", padding=(0, 1, 0, 0))
    table.add_column("")
    table.add_column("")
    names = {"entropy": 3, **{f"distinct-{n}": 3 for n in ORDERS}}
    names |= {"loops": 4, "copied": 1, "longest": 0, "judge": 3}
    for heading in names:
        table.add_column(heading.replace("distinct-", "d-"), justify="right")
    for row in results:
        cells = []
        for key, digits in names.items():
            mean, error = row[key]
            cells.append("" if math.isnan(mean) else f"{mean:.{digits}f}")
            if key in ("judge", "loops") and not math.isnan(error):
                cells[-1] += f"±{error:.{digits}f}"
        table.add_row(row["who"], row["parameter"], *cells)
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
