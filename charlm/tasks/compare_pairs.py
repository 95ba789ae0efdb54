"""Compare two models on minimal pairs: which is right more often, and is that more than chance?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import require
from ..lm import LanguageModel, causal
from ..text.tokenizer import Tokenizer
from .pairs import Accuracy, Pair, PairScore, accuracy, known, score_pairs
from .proportions import mcnemar


@dataclass(frozen=True)
class Group:
    """Both models on some pairs."""

    first: Accuracy
    second: Accuracy
    only_first: int  # pairs that the first model gets right and the second wrong
    only_second: int

    @property
    def p(self) -> float:
        """The exact two-sided p-value of both being right equally often (McNemar 1947)."""
        return mcnemar(self.only_first, self.only_second)

    def as_dict(self) -> dict[str, Any]:
        return {
            "first": self.first.as_dict(),
            "second": self.second.as_dict(),
            "only_first": self.only_first,
            "only_second": self.only_second,
            "p": self.p,
        }


@dataclass(frozen=True)
class PairComparison:
    """Two models' scores of the same minimal pairs."""

    first: tuple[PairScore, ...]
    second: tuple[PairScore, ...]
    skipped: int = 0  # pairs left out for words that one of the models does not know

    @property
    def overall(self) -> Group:
        """All pairs."""
        return _group(list(zip(self.first, self.second, strict=True)))

    @property
    def by_phenomenon(self) -> dict[str, Group]:
        """By phenomenon, in the order of first appearance."""
        groups: dict[str, list[tuple[PairScore, PairScore]]] = {}
        for one, other in zip(self.first, self.second, strict=True):
            groups.setdefault(one.pair.phenomenon, []).append((one, other))
        return {name: _group(group) for name, group in groups.items()}

    def as_dict(self) -> dict[str, Any]:
        return {
            "skipped": self.skipped,
            "overall": self.overall.as_dict(),
            "by_phenomenon": {name: one.as_dict() for name, one in self.by_phenomenon.items()},
        }


def compare_pairs(
    models: Sequence[tuple[LanguageModel, Tokenizer]],
    pairs: Sequence[Pair],
    *,
    skip_oov: bool = False,
) -> PairComparison:
    """Score all pairs with both models.

    A pair that a model cannot decide is no reason to prefer either. skip_oov: leave out pairs with
    a word that one of them does not know. Raises CharlmError if nothing is left.
    """
    require(len(models) == 2, "a comparison takes two models")
    kept = list(pairs)
    for _, tokenizer in models if skip_oov else ():
        kept = known(tokenizer, kept)
    first, second = (score_pairs(causal(lm), tokenizer, kept).pairs for lm, tokenizer in models)
    return PairComparison(first, second, len(pairs) - len(kept))


def _group(pairs: Sequence[tuple[PairScore, PairScore]]) -> Group:
    first, second = zip(*pairs, strict=True)
    decisions = [(one.decision, other.decision) for one, other in pairs]
    return Group(
        accuracy(first),
        accuracy(second),
        decisions.count(("right", "wrong")),
        decisions.count(("wrong", "right")),
    )
