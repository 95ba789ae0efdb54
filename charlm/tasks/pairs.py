"""Minimal pairs: does the model find the good sentence more probable than the bad one?

(Marvin and Linzen 2018; Warstadt et al. 2020, whose BLiMP files are read as they are.)
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ..config import require
from ..errors import CharlmError
from ..lm import CausalLM, Ids, Nats, S
from ..measures import surprisal
from ..text.find_files import find_files
from ..text.source import open_lines
from ..text.tokenizer import Tokenizer
from .score import encode_line
from .shared_prefixes import shared_logprobs

# Columns that may name a pair's phenomenon.
PHENOMENON_COLUMNS = ("linguistics_term", "phenomenon", "UID", "category")
NORMS = ("none", "token", "char")
Z95 = 1.959963984540054  # of the normal distribution


@dataclass(frozen=True)
class Pair:
    """Two minimally different sentences, of which one is acceptable."""

    good: str
    bad: str
    phenomenon: str = ""


# Anything that `collect` accepts: a pair, (good, bad) or (good, bad, phenomenon), a file of them.
PairSource: TypeAlias = Pair | tuple[str, str] | tuple[str, str, str] | str | Path


@dataclass(frozen=True)
class PairScore:
    """A pair and how probable the model finds it."""

    pair: Pair
    good: float  # log P, nats; of the region, or per token or character, if requested
    bad: float

    @property
    def difference(self) -> float:
        """How much more probable the good sentence is, nats."""
        return self.good - self.bad

    @property
    def right(self) -> bool:
        """Whether the model prefers the good sentence; a tie is not a preference."""
        return self.difference > 0

    def as_dict(self) -> dict[str, Any]:
        return {
            "good": self.pair.good,
            "bad": self.pair.bad,
            "phenomenon": self.pair.phenomenon,
            "good_logprob": self.good,
            "bad_logprob": self.bad,
            "difference": self.difference,
        }


@dataclass(frozen=True)
class Accuracy:
    """How often the model was right, with a confidence interval."""

    right: int
    total: int
    ties: int
    mean_difference: float  # nats

    @property
    def rate(self) -> float:
        return self.right / self.total if self.total else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the rate (Wilson 1927)."""
        return wilson(self.right, self.total)

    def as_dict(self) -> dict[str, Any]:
        return {
            "pairs": self.total,
            "right": self.right,
            "ties": self.ties,
            "accuracy": self.rate,
            "interval": list(self.interval),
            "mean_difference": self.mean_difference,
            "mean_difference_bits": -surprisal(self.mean_difference),
        }


@dataclass(frozen=True)
class PairScores:
    """Minimal pairs with a model's scores."""

    pairs: tuple[PairScore, ...]  # in the order given

    @property
    def accuracy(self) -> float:
        """The fraction of pairs for which the model prefers the good sentence."""
        return self.overall.rate

    @property
    def overall(self) -> Accuracy:
        """All pairs together, with the interval of their accuracy."""
        return accuracy(self.pairs)

    @property
    def by_phenomenon(self) -> dict[str, Accuracy]:
        """Accuracy by phenomenon, in the order of first appearance."""
        groups: dict[str, list[PairScore]] = {}
        for one in self.pairs:
            groups.setdefault(one.pair.phenomenon, []).append(one)
        return {name: accuracy(group) for name, group in groups.items()}

    def worst(self, limit: int = 10) -> list[PairScore]:
        """Up to `limit` of the pairs that the model gets wrong, worst first."""
        failures = (one for one in self.pairs if not one.right)
        return sorted(failures, key=lambda one: one.difference)[:limit]

    def as_dict(self) -> dict[str, Any]:
        return {
            "overall": self.overall.as_dict(),
            "by_phenomenon": {name: one.as_dict() for name, one in self.by_phenomenon.items()},
        }


def wilson(right: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a proportion (Wilson 1927): within [0, 1], and valid for few trials."""
    if not total:
        return math.nan, math.nan
    p, n, z = right / total, total, Z95
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half_width = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, middle - half_width), min(1.0, middle + half_width)


def score_pairs(
    lm: CausalLM[S],
    tokenizer: Tokenizer,
    pairs: Sequence[Pair],
    *,
    region: bool = False,
    norm: str = "none",
) -> PairScores:
    """Score all pairs, each sentence on its own, in the order given.

    region: score only the tokens from the first to the last difference, given what precedes them.
    norm: divide log P by the number of tokens ("token") or characters ("char") scored; for a
    region, tokens only.
    """
    require(norm in NORMS, f"unknown norm {norm!r}: choose {' | '.join(NORMS)}")
    require(
        not (region and norm == "char"), "norm char is not defined for a region: use norm token"
    )
    seqs = [encode_line(tokenizer, text) for pair in pairs for text in (pair.good, pair.bad)]
    nats = shared_logprobs(lm, seqs)
    scores: list[PairScore] = []
    for k, pair in enumerate(pairs):
        good, bad = slice(None), slice(None)
        if region:
            good, bad = differing(seqs[2 * k], seqs[2 * k + 1])
        scores.append(
            PairScore(
                pair,
                _value(nats[2 * k][good], pair.good, norm),
                _value(nats[2 * k + 1][bad], pair.bad, norm),
            )
        )
    return PairScores(tuple(scores))


def _value(nats: Nats, text: str, norm: str) -> float:
    total = float(nats.sum(dtype=np.float64))
    length = {"none": 1, "token": len(nats), "char": len(text) + 1}[norm]
    return total / max(1, length)


def differing(one: Ids, other: Ids) -> tuple[slice, slice]:
    """Where two sequences differ: all but their common prefix and common suffix."""
    short = min(len(one), len(other))
    begins = np.flatnonzero(one[:short] != other[:short])
    first = int(begins[0]) if len(begins) else short
    rest = short - first
    ends = np.flatnonzero(one[::-1][:rest] != other[::-1][:rest])
    same = int(ends[0]) if len(ends) else rest
    return slice(first, len(one) - same), slice(first, len(other) - same)


def accuracy(scores: Sequence[PairScore]) -> Accuracy:
    """The accuracy over `scores`."""
    return Accuracy(
        sum(one.right for one in scores),
        len(scores),
        sum(one.difference == 0 for one in scores),
        float(np.mean([one.difference for one in scores])) if scores else math.nan,
    )


def collect(
    sources: str | Path | Iterable[PairSource],
    by: str | None = None,
    *,
    encoding: str = "utf-8",
    errors: str = "strict",
    level: str = "char",
) -> list[Pair]:
    """All pairs in order, those of files included ("-": standard input).

    by: see `read`. level: of the tokenizer that will encode them. Raises CharlmError as `read`
    does.
    """
    pairs: list[Pair] = []
    for one in [sources] if isinstance(sources, str | Path) else sources:
        if isinstance(one, str | Path):
            for file in find_files([str(one)]):
                with open_lines(file, encoding, errors, level) as (name, lines):
                    pairs += read(lines, name, by)
        else:
            pairs.append(one if isinstance(one, Pair) else Pair(*one))
    if not pairs:
        raise CharlmError("there are no pairs to score")
    return pairs


def read(lines: Iterable[str], name: str, by: str | None = None) -> list[Pair]:
    """Pairs from JSON lines (sentence_good, sentence_bad) or tab-separated values.

    A line of TSV is: good, bad, and optionally the phenomenon; a header line with the names of the
    columns (good, bad, …) may change their order. by: the column of the phenomenon, else one of
    PHENOMENON_COLUMNS. Raises CharlmError with the number of the first invalid line.
    """
    pairs: list[Pair] = []
    columns: list[str] | None = None
    number = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue

        def error(what: str, number: int = number) -> CharlmError:
            return CharlmError(f"{name}, line {number}: {what}")

        if line.lstrip().startswith("{"):
            row = _json(line, error)
        else:
            cells = [cell.strip() for cell in line.split("\t")]
            if columns is None:
                columns = ["sentence_good", "sentence_bad", "phenomenon"]
                heads = [_COLUMNS.get(cell.lower(), cell) for cell in cells]
                if {"sentence_good", "sentence_bad"} <= set(heads):
                    columns = heads
                    continue
            if len(cells) < 2:
                raise error("expected two sentences separated by a tab")
            row = dict(zip(columns, cells, strict=False))
        pairs.append(_pair(row, by, error))
    if not pairs:
        below = " below its header line" if columns and number == 1 else ""
        raise CharlmError(f"{name} holds no pairs{below}")
    return pairs


_COLUMNS = {
    "good": "sentence_good",
    "bad": "sentence_bad",
    "sentence_good": "sentence_good",
    "sentence_bad": "sentence_bad",
    "grammatical": "sentence_good",
    "ungrammatical": "sentence_bad",
}


def _json(line: str, error: Callable[[str], CharlmError]) -> dict[str, Any]:
    try:
        row: Any = json.loads(line)
    except (ValueError, RecursionError) as reason:
        raise error(f"not valid JSON ({reason})") from None
    if not isinstance(row, dict):
        raise error("expected a JSON object")
    return {_COLUMNS.get(str(key), str(key)): value for key, value in row.items()}


def _pair(row: dict[str, Any], by: str | None, error: Callable[[str], CharlmError]) -> Pair:
    sentences = [row.get("sentence_good"), row.get("sentence_bad")]
    for key, text in zip(("sentence_good", "sentence_bad"), sentences, strict=True):
        if not isinstance(text, str) or not text.strip():
            raise error(f"{key} is missing or empty")
        if "\n" in text:
            raise error(f"{key} contains a line break")
    if by is not None and by not in row:
        raise error(f"there is no column {by!r} to group by")
    column = by or next((key for key in PHENOMENON_COLUMNS if row.get(key)), "")
    return Pair(str(sentences[0]), str(sentences[1]), str(row.get(column, "")) if column else "")
