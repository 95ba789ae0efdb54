"""Choosing among recognition hypotheses with a language model.

    combined = first pass + α · (LM − old LM) + β · words

All in nats, higher is better. Where the first pass tells which part of it an old language model
gave, α is the weight at which the new one takes its place: 0 leaves the old, 1 replaces it.
Otherwise `old LM` is 0. β makes up for a language model's liking of short sentences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..config import require
from ..errors import CharlmError
from ..lm import CausalLM, S
from ..text.tokenizer import Tokenizer
from .nbest import Hypothesis, Utterance
from .score import encode_line
from .shared_prefixes import shared_logprobs

METRICS = ("wer", "cer")
REFINEMENTS = 4  # of refining α and β, each at half the distance

Numbers: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Weights:
    """α, of the language model, and β, nats a word."""

    alpha: float
    beta: float


@dataclass(frozen=True)
class Ranked:
    """A hypothesis and what it came to."""

    hypothesis: Hypothesis
    lm: float  # log P of the sentence, nats
    combined: float
    place: int  # 1 = the best of its utterance


class Scored:
    """N-best lists with their language model scores, ready to be combined under any weights."""

    def __init__(self, utterances: Sequence[Utterance], lm_N: Numbers) -> None:
        self.utterances = tuple(utterances)
        flat = [h for u in utterances for h in u.hypotheses]
        self.sizes = np.array([len(u.hypotheses) for u in utterances])
        self.starts = np.concatenate([[0], np.cumsum(self.sizes)[:-1]])
        self.lm_N = lm_N
        self.first_N = np.array([h.score for h in flat])
        self.gain_N = lm_N - np.array([h.old_lm or 0.0 for h in flat])
        self.words_N = np.array([len(h.text.split()) for h in flat], np.float64)

    def combined(self, weights: Weights) -> Numbers:
        """The score of every hypothesis, (N,)."""
        with np.errstate(over="ignore", invalid="ignore"):
            total = self.first_N + weights.alpha * self.gain_N + weights.beta * self.words_N
        require(bool(np.isfinite(total).all()), "alpha or beta is too large: scores overflow")
        return np.asarray(total)

    def best(self, weights: Weights) -> npt.NDArray[np.intp]:
        """The place of every utterance's best hypothesis among all; of equals the first."""
        combined = self.combined(weights)
        highest = np.repeat(np.maximum.reduceat(combined, self.starts), self.sizes)
        places = np.where(combined == highest, np.arange(len(combined)), len(combined))
        return np.asarray(np.minimum.reduceat(places, self.starts))

    def ranked(self, weights: Weights) -> list[list[Ranked]]:
        """Every utterance's hypotheses, the best first; equals as they were given."""
        combined = self.combined(weights)
        result: list[list[Ranked]] = []
        for utterance, start in zip(self.utterances, self.starts, strict=True):
            own = combined[start : start + len(utterance.hypotheses)]
            result.append(
                [
                    Ranked(
                        utterance.hypotheses[k], float(self.lm_N[start + k]), float(own[k]), place
                    )
                    for place, k in enumerate(np.argsort(-own, kind="stable"), 1)
                ]
            )
        return result


def score(lm: CausalLM[S], tokenizer: Tokenizer, utterances: Sequence[Utterance]) -> Scored:
    """The language model's scores of all hypotheses, common prefixes read once."""
    texts = [h.text for u in utterances for h in u.hypotheses]
    nats = shared_logprobs(lm, [encode_line(tokenizer, text) for text in texts])
    return Scored(utterances, np.array([own.sum(dtype=np.float64) for own in nats]))


@dataclass(frozen=True)
class Errors:
    """How wrong every hypothesis is: insertions, deletions and substitutions (Levenshtein 1966)."""

    counts: npt.NDArray[np.int64]
    total: int  # words or characters of the references

    def rate(self, places: npt.NDArray[np.integer[Any]]) -> float:
        """Errors of the hypotheses chosen, per word or character of the references."""
        return float(self.counts[places].sum()) / max(1, self.total)

    def oracle(self, scored: Scored) -> float:
        """The rate of the best possible choice."""
        least = np.minimum.reduceat(self.counts, scored.starts)
        return float(least.sum()) / max(1, self.total)


def count_errors(
    utterances: Sequence[Utterance], references: Mapping[str, str], metric: str = "wer"
) -> Errors:
    """The word (wer) or character (cer) errors of every hypothesis.

    Raises CharlmError for an utterance without a reference.
    """
    from rapidfuzz.distance import Levenshtein

    require(metric in METRICS, f"unknown metric {metric!r}: choose {' | '.join(METRICS)}")
    missing = [u.id for u in utterances if u.id not in references]
    if missing:
        raise CharlmError(f"there is no reference for {missing[0]} ({len(missing)} in all)")
    errors: list[int] = []
    total = 0
    for utterance in utterances:
        truth = _units(references[utterance.id], metric)
        total += len(truth)
        errors += [
            Levenshtein.distance(truth, _units(h.text, metric)) for h in utterance.hypotheses
        ]
    return Errors(np.array(errors, np.int64), total)


def _units(text: str, metric: str) -> Sequence[str]:
    return text.split() if metric == "wer" else " ".join(text.split())


def tune(scored: Scored, errors: Errors) -> Weights:
    """The weights with the fewest errors: a grid about the scores' own scale, then finer ones.

    Of equals the smallest, so that nothing is changed for nothing.
    """
    scale = _spread(scored, scored.first_N) / _spread(scored, scored.gain_N)
    nats = _spread(scored, scored.first_N)
    alphas = np.concatenate([[0.0], scale * 2.0 ** np.arange(-6, 6.5, 0.5)])
    steps = nats * 2.0 ** np.arange(-5, 3.0)
    betas = np.concatenate([[0.0], steps, -steps])
    best = _search(scored, errors, alphas, betas)
    width_a, width_b = 0.4, 0.4
    for _ in range(REFINEMENTS):
        near = np.linspace(-1, 1, 5)
        alphas = np.maximum(0, best.alpha * (1 + width_a * near))
        betas = best.beta + width_b * near * (abs(best.beta) or nats / 32)
        best = _search(scored, errors, np.append(alphas, best.alpha), np.append(betas, best.beta))
        width_a, width_b = width_a / 2, width_b / 2
    return best


def _search(scored: Scored, errors: Errors, alphas: Numbers, betas: Numbers) -> Weights:
    found: list[tuple[int, float, float, Weights]] = []
    for alpha in np.unique(alphas).tolist():
        for beta in np.unique(betas).tolist():
            weights = Weights(alpha, beta)
            wrong = int(errors.counts[scored.best(weights)].sum())
            found.append((wrong, alpha, abs(beta), weights))
    return min(found, key=lambda item: item[:3])[3]


def _spread(scored: Scored, values_N: Numbers) -> float:
    """How much the scores of an utterance's hypotheses differ, as a standard deviation."""
    means = np.add.reduceat(values_N, scored.starts) / scored.sizes
    return float(np.std(values_N - np.repeat(means, scored.sizes))) or 1.0
