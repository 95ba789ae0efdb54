"""Word and character error rates of recognition hypotheses (Levenshtein 1966)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import CharlmError, require
from .bootstrap import RESAMPLES, bootstrap, interval
from .nbest import Utterance

METRICS = ("wer", "cer")
SEED = 1  # of the bootstrap


@dataclass(frozen=True)
class Edits:
    """What turns a reference into a hypothesis with the fewest changes, and its length."""

    substitutions: int
    insertions: int
    deletions: int
    length: int  # words or characters of the reference

    @property
    def total(self) -> int:
        return self.substitutions + self.insertions + self.deletions


@dataclass(frozen=True)
class ErrorRate:
    """The errors of one choice for every utterance, per word or character of the references."""

    edits: tuple[Edits, ...]  # utterance by utterance

    @property
    def rate(self) -> float:
        """Errors per word or character; NaN for empty references."""
        length = sum(one.length for one in self.edits)
        return sum(one.total for one in self.edits) / length if length else math.nan

    @cached_property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the rate, by a bootstrap over utterances."""
        return interval(bootstrap(self._counts(), self._lengths(), RESAMPLES, SEED))

    def reduction(self, other: ErrorRate) -> tuple[float, float, float]:
        """By how much the rate of `other` is lower, and its 95 % interval: a paired bootstrap."""
        saved = self._counts() - other._counts()
        drawn = bootstrap(saved, self._lengths(), RESAMPLES, SEED)
        return (self.rate - other.rate, *interval(drawn))

    def as_dict(self) -> dict[str, Any]:
        return {
            "rate": self.rate,
            "interval": list(self.interval),
            "substitutions": sum(one.substitutions for one in self.edits),
            "insertions": sum(one.insertions for one in self.edits),
            "deletions": sum(one.deletions for one in self.edits),
            "errors": sum(one.total for one in self.edits),
            "length": sum(one.length for one in self.edits),
        }

    def _counts(self) -> npt.NDArray[np.float64]:
        return np.array([one.total for one in self.edits], np.float64)

    def _lengths(self) -> npt.NDArray[np.float64]:
        return np.array([one.length for one in self.edits], np.float64)


class References:
    """The reference of every utterance, and the edit distance of every hypothesis from it."""

    def __init__(
        self, utterances: Sequence[Utterance], references: Mapping[str, str], metric: str = "wer"
    ) -> None:
        """metric: count errors in words (wer) or characters (cer).

        Raises CharlmError for an utterance without a reference.
        """
        from rapidfuzz.distance import Levenshtein

        require(metric in METRICS, f"unknown metric {metric!r}: choose {' | '.join(METRICS)}")
        missing = [u.id for u in utterances if u.id not in references]
        if missing:
            others = f" and {len(missing) - 1} others" if len(missing) > 1 else ""
            raise CharlmError(f"there is no reference for {missing[0]}{others}")
        self.utterances, self.metric = utterances, metric
        self.units = [_units(references[u.id], metric) for u in utterances]
        self.distances_N = np.array(
            [
                Levenshtein.distance(reference, _units(h.text, metric))
                for reference, u in zip(self.units, utterances, strict=True)
                for h in u.hypotheses
            ],
            np.int64,
        )

    def error_rate(self, chosen: Sequence[int]) -> ErrorRate:
        """The errors of the hypothesis that is chosen for each utterance, by its place in it."""
        from rapidfuzz.distance import Levenshtein

        edits = []
        for reference, utterance, place in zip(self.units, self.utterances, chosen, strict=True):
            found = Levenshtein.editops(
                reference, _units(utterance.hypotheses[place].text, self.metric)
            )
            tags = [one.tag for one in found]
            swapped, added, missing = (tags.count(t) for t in ("replace", "insert", "delete"))
            edits.append(Edits(swapped, added, missing, len(reference)))
        return ErrorRate(tuple(edits))

    def oracle(self) -> list[int]:
        """For each utterance the place of a hypothesis with the fewest errors."""
        sizes = [len(u.hypotheses) for u in self.utterances]
        parts = np.split(self.distances_N, np.cumsum(sizes)[:-1])
        return [int(part.argmin()) for part in parts]


def _units(text: str, metric: str) -> Sequence[str]:
    return text.split() if metric == "wer" else " ".join(text.split())
