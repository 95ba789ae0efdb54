"""Test suites: sentences cut into regions, in several conditions, with predictions about surprisal.

A 2 × 2 design, say, crosses whether a subject is plural with whether its verb is, and predicts that
the verb is less surprising where they agree. (SyntaxGym: Gauthier et al. 2020; Hu et al. 2020.)
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..lm import CausalLM, S
from ..text.tokenizer import Tokenizer
from .proportions import wilson
from .region_formula import WHOLE, Formula
from .score import SentenceScore, score

METRICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "sum": math.fsum,
    "mean": statistics.fmean,
    "median": statistics.median,
    "min": min,
    "max": max,
    "range": lambda bits: max(bits) - min(bits),
}
AT_ONCE = 1 << 10  # sentences scored at a time


@dataclass(frozen=True)
class Item:
    """The same sentence in every condition, each as its regions."""

    number: str
    conditions: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Suite:
    """A test suite."""

    name: str
    metric: str  # one of METRICS: how the words of a region make its surprisal
    regions: tuple[str, ...]  # their names, of which the first is region 1
    predictions: tuple[Formula, ...]
    items: tuple[Item, ...]

    @property
    def conditions(self) -> tuple[str, ...]:
        """Their names, in the order of the first item."""
        return tuple(self.items[0].conditions)


@dataclass(frozen=True)
class ItemScore:
    """A sentence, region by region."""

    item: str
    condition: str
    text: str
    surprisals: tuple[float, ...]  # bits, of each region; 0 where it is empty
    whole: float  # of the sentence, without <EOS>
    oov: tuple[int, ...]  # unknown tokens of each region

    def by_region(self) -> dict[str, float]:
        """Surprisals by region's number, * for the sentence."""
        numbered = {str(k): bits for k, bits in enumerate(self.surprisals, 1)}
        return numbered | {WHOLE: self.whole}


@dataclass(frozen=True)
class Prediction:
    """A prediction, and of which items it is true."""

    formula: str
    held: tuple[bool, ...]

    @property
    def rate(self) -> float:
        """The fraction of items that it is true of."""
        return statistics.fmean(self.held)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the rate (Wilson 1927)."""
        return wilson(sum(self.held), len(self.held))

    def as_dict(self) -> dict[str, Any]:
        return {
            "formula": self.formula,
            "items": len(self.held),
            "right": sum(self.held),
            "accuracy": self.rate,
            "interval": list(self.interval),
            "held": list(self.held),
        }


@dataclass(frozen=True)
class SuiteScores:
    """A test suite with a model's surprisals."""

    suite: Suite
    sentences: tuple[ItemScore, ...]  # item by item
    predictions: tuple[Prediction, ...]

    def means(self) -> dict[str, tuple[float, ...]]:
        """By condition the mean surprisal of each region over the items, bits."""
        found = {}
        for name in self.suite.conditions:
            rows = [one.surprisals for one in self.sentences if one.condition == name]
            found[name] = tuple(statistics.fmean(column) for column in zip(*rows, strict=True))
        return found

    def rows(self) -> Iterator[dict[str, Any]]:
        """A row for every region of every sentence, with whether its item's predictions hold."""
        order = list(dict.fromkeys(one.item for one in self.sentences))
        held = {
            item: {f"prediction_{k}": p.held[n] for k, p in enumerate(self.predictions, 1)}
            for n, item in enumerate(order)
        }
        for one in self.sentences:
            regions = zip(self.suite.regions, one.surprisals, one.oov, strict=True)
            for number, (name, bits, oov) in enumerate(regions, 1):
                yield {
                    "item": one.item,
                    "condition": one.condition,
                    "region": number,
                    "region_name": name,
                    "surprisal": bits,
                    "oov": oov,
                    "sentence": one.text,
                    **held[one.item],
                }

    def as_dict(self) -> dict[str, Any]:
        return {
            "suite": self.suite.name,
            "metric": self.suite.metric,
            "items": len(self.suite.items),
            "regions": list(self.suite.regions),
            "predictions": [one.as_dict() for one in self.predictions],
            "mean_surprisal": {name: list(row) for name, row in self.means().items()},
        }


def score_suite(lm: CausalLM[S], tokenizer: Tokenizer, suite: Suite) -> SuiteScores:
    """Score every sentence of a suite on its own, and test its predictions.

    Regions are joined by spaces. A word belongs to the region that it begins in, with its surprisal
    as a whole word (see `word_scores`); the sentence end belongs to none.
    """
    cells = [(item, name) for item in suite.items for name in item.conditions]
    sentences: list[ItemScore] = []
    for b in range(0, len(cells), AT_ONCE):
        group = cells[b : b + AT_ONCE]
        texts = [" ".join(filter(None, item.conditions[name])) for item, name in group]
        scores = score(lm, tokenizer, texts, eos=False, words=True)
        for (item, name), scored in zip(group, scores, strict=True):
            sentences.append(_item_score(item, name, scored, METRICS[suite.metric]))
    by_item: dict[str, dict[str, dict[str, float]]] = {}
    for one in sentences:
        by_item.setdefault(one.item, {})[one.condition] = one.by_region()
    predictions = tuple(
        Prediction(formula.text, tuple(formula.holds(found) for found in by_item.values()))
        for formula in suite.predictions
    )
    return SuiteScores(suite, tuple(sentences), predictions)


def _item_score(
    item: Item, name: str, scored: SentenceScore, metric: Callable[[Sequence[float]], float]
) -> ItemScore:
    parts, ends, at = item.conditions[name], [], 0
    for part in parts:
        at += len(part) + (at > 0 and len(part) > 0)
        ends.append(at)
    words: list[list[float]] = [[] for _ in parts]
    oov = [0] * len(parts)
    for word in scored.word_scores or ():
        region = next((k for k, end in enumerate(ends) if word.start < end), len(parts) - 1)
        words[region].append(word.surprisal)
        oov[region] += word.oov
    surprisals = tuple(metric(bits) if bits else 0.0 for bits in words)
    every = [bits for region in words for bits in region]
    whole = metric(every) if every else 0.0
    return ItemScore(item.number, name, scored.text, surprisals, whole, tuple(oov))
