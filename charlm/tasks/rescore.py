"""Rerank recognition hypotheses with a language model.

    combined = first pass + α · (LM − old LM) + β · words

All in nats, higher is better. If the first pass says which part of it is due to an old language
model, α is the weight with which the new one takes its place: 0 keeps the old, 1 replaces it.
Otherwise `old LM` is 0. β makes up for a language model's preference for short sentences.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import require
from ..lm import CausalLM, S
from ..measures import oov_treatment
from ..text.tokenizer import Tokenizer
from .error_rates import ErrorRate, References
from .measure_lines import measure_lines
from .nbest import Hypothesis, Utterance

REFINEMENTS = 4  # rounds of refining α and β, each with half the step

Numbers: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Weights:
    """α, the language model's weight, and β, nats per word."""

    alpha: float
    beta: float


@dataclass(frozen=True)
class Ranked:
    """A hypothesis and its scores."""

    hypothesis: Hypothesis
    lm: float  # log P of the sentence, nats
    combined: float
    place: int  # rank within its utterance, 1 = best

    def as_dict(self) -> dict[str, Any]:
        return {
            "place": self.place,
            **({"key": self.hypothesis.key} if self.hypothesis.key else {}),
            "hypothesis": self.hypothesis.text,
            "combined": self.combined,
            "score": self.hypothesis.score,
            "lm": self.lm,
            "old_lm_score": self.hypothesis.old_lm,
        }


class Scored:
    """N-best lists with their language model scores, ready to be combined with any weights."""

    def __init__(self, utterances: Sequence[Utterance], lm_N: Numbers, oov: str = "closed") -> None:
        """oov: how unknown words are treated in `lm_N`."""
        self.utterances, self.oov = tuple(utterances), oov
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
        require(bool(np.isfinite(total).all()), "`alpha` or `beta` is too large: scores overflow")
        return np.asarray(total)

    def best(self, weights: Weights) -> npt.NDArray[np.intp]:
        """The index of every utterance's best hypothesis among all; the first in case of a tie."""
        combined = self.combined(weights)
        highest = np.repeat(np.maximum.reduceat(combined, self.starts), self.sizes)
        indices = np.where(combined == highest, np.arange(len(combined)), len(combined))
        return np.asarray(np.minimum.reduceat(indices, self.starts))

    def choice(self, weights: Weights) -> list[int]:
        """For each utterance the place of its best hypothesis in it."""
        places: list[int] = (self.best(weights) - self.starts).tolist()
        return places

    def ranked(self, weights: Weights) -> list[list[Ranked]]:
        """Every utterance's hypotheses, best first; ties keep their order."""
        combined = self.combined(weights)
        result: list[list[Ranked]] = []
        for utterance, start in zip(self.utterances, self.starts, strict=True):
            scores = combined[start : start + len(utterance.hypotheses)]
            result.append(
                [
                    Ranked(
                        utterance.hypotheses[k],
                        float(self.lm_N[start + k]),
                        float(scores[k]),
                        place,
                    )
                    for place, k in enumerate(np.argsort(-scores, kind="stable"), 1)
                ]
            )
        return result


def score(
    lm: CausalLM[S],
    tokenizer: Tokenizer,
    utterances: Sequence[Utterance],
    oov: str | None = None,
    oov_penalty: float | None = None,
) -> Scored:
    """The language model's scores of all hypotheses. oov, oov_penalty: see `rescore`."""
    found = measure_lines(lm, tokenizer, [h.text for u in utterances for h in u.hypotheses])
    if oov_penalty is not None:
        oov = "closed"
    treated = oov_treatment(oov, (one.oov for one in found))
    nats = [one.nats(treated) - (oov_penalty or 0.0) * one.oov for one in found]
    return Scored(utterances, np.array(nats), treated)


def fit_weights(scored: Scored, references: References) -> Weights:
    """The weights with the fewest errors: a grid on the scale of the scores, then finer ones.

    Ties go to the smallest weights.
    """
    scale = _spread(scored, scored.first_N) / _spread(scored, scored.gain_N)
    nats = _spread(scored, scored.first_N)
    alphas = np.concatenate([[0.0], scale * 2.0 ** np.arange(-6, 6.5, 0.5)])
    steps = nats * 2.0 ** np.arange(-5, 3.0)
    betas = np.concatenate([[0.0], steps, -steps])
    best = _search(scored, references, alphas, betas)
    width_a, width_b = 0.4, 0.4
    for _ in range(REFINEMENTS):
        offsets = np.linspace(-1, 1, 5)
        alphas = np.maximum(0, best.alpha * (1 + width_a * offsets))
        betas = best.beta + width_b * offsets * (abs(best.beta) or nats / 32)
        best = _search(
            scored, references, np.append(alphas, best.alpha), np.append(betas, best.beta)
        )
        width_a, width_b = width_a / 2, width_b / 2
    return best


def _search(scored: Scored, references: References, alphas: Numbers, betas: Numbers) -> Weights:
    found: list[tuple[int, float, float, Weights]] = []
    for alpha in np.unique(alphas).tolist():
        for beta in np.unique(betas).tolist():
            weights = Weights(alpha, beta)
            wrong = int(references.distances_N[scored.best(weights)].sum())
            found.append((wrong, alpha, abs(beta), weights))
    return min(found, key=lambda item: item[:3])[3]


def _spread(scored: Scored, values_N: Numbers) -> float:
    """How much the scores of an utterance's hypotheses differ, as a standard deviation."""
    means = np.add.reduceat(values_N, scored.starts) / scored.sizes
    return float(np.std(values_N - np.repeat(means, scored.sizes))) or 1.0


@dataclass(frozen=True)
class ErrorRates:
    """Errors of three choices of a hypothesis for every utterance."""

    before: ErrorRate  # of the first pass
    after: ErrorRate  # with the weights
    oracle: ErrorRate  # the best possible

    def as_dict(self) -> dict[str, Any]:
        reduction, low, high = self.before.reduction(self.after)
        return {
            "before": self.before.as_dict(),
            "after": self.after.as_dict(),
            "oracle": self.oracle.as_dict(),
            "reduction": {"rate": reduction, "interval": [low, high]},
        }


@dataclass(frozen=True)
class Rescored:
    """N-best lists in their new order."""

    weights: Weights
    metric: str  # wer | cer
    utterances: tuple[Utterance, ...]  # as they were given
    ranked: tuple[tuple[Ranked, ...], ...]  # their hypotheses, the best first
    rates: ErrorRates | None  # where there are references
    unmatched: int = 0  # references of utterances that are not in the lists
    oov: str = "closed"  # how unknown words are treated: closed | spelled | exclude
    dev: ErrorRates | None = None  # of the lists that the weights were fitted to, if others
    fitted: bool = False  # whether the weights were fitted to the references of `rates`

    @property
    def best(self) -> dict[str, str]:
        """The text of every utterance's best hypothesis."""
        pairs = zip(self.utterances, self.ranked, strict=True)
        return {utterance.id: ranked[0].hypothesis.text for utterance, ranked in pairs}

    def as_dict(self, *, best: bool = False) -> dict[str, Any]:
        """The JSON object of `charlm rescore --json`; best: only each utterance's best."""
        pairs = zip(self.utterances, self.ranked, strict=True)
        return {
            "alpha": self.weights.alpha,
            "beta": self.weights.beta,
            "metric": self.metric,
            "oov": self.oov,
            "error_rates": None if self.rates is None else self.rates.as_dict(),
            **({} if self.dev is None else {"dev_error_rates": self.dev.as_dict()}),
            "utterances": [
                {
                    "utterance": u.id,
                    "hypotheses": [one.as_dict() for one in ranked[: 1 if best else None]],
                }
                for u, ranked in pairs
            ],
        }


def rescore(
    lm: CausalLM[S],
    tokenizer: Tokenizer,
    utterances: Sequence[Utterance],
    references: Mapping[str, str] | None = None,
    *,
    alpha: float | None = None,
    beta: float | None = None,
    tune: bool = False,
    dev: tuple[Sequence[Utterance], Mapping[str, str]] | None = None,
    metric: str = "wer",
    oov: str | None = None,
    oov_penalty: float | None = None,
) -> Rescored:
    """Sort every utterance's hypotheses by their combined scores.

    references: reference transcripts by utterance, for error rates. alpha: the language model's
    weight (1). beta: nats per word (0). tune: find the values with the fewest errors. dev: find
    them on these lists, with their references, instead. metric: wer (words) or cer (characters).
    oov: unknown words count as <UNK> alone (closed), as <UNK> and their spelling (spelled), or not
    at all (exclude); None: spelled if hypotheses differ in their number, else closed. oov_penalty:
    nats taken off for each of them, which then count as <UNK> alone.

    Raises CharlmError for settings that contradict each other, for weights that are not finite, and
    for an utterance without a reference.
    """
    require(len(utterances) > 0, "there are no hypotheses to rescore")
    if tune or dev:
        require(dev is not None or references is not None, "`tune` needs references")
        require(alpha is None and beta is None, "`tune` finds `alpha` and `beta`: leave them out")
    for name, value in (("alpha", alpha), ("beta", beta), ("oov_penalty", oov_penalty)):
        require(
            value is None or math.isfinite(value), f"`{name}` must be a finite number, not {value}"
        )
    require(
        oov_penalty is None or oov in (None, "closed"),
        "`oov_penalty` is for unknown words that count as <UNK>: leave out `oov`",
    )
    counted = None if references is None else References(utterances, references, metric)
    scored = score(lm, tokenizer, utterances, oov, oov_penalty)
    weights = Weights(1.0 if alpha is None else alpha, beta or 0.0)
    dev_rates = None
    if dev is not None:
        require(len(dev[0]) > 0, "there are no hypotheses to tune the weights on")
        dev_counted = References(*dev, metric)
        dev_scored = score(lm, tokenizer, dev[0], oov or scored.oov, oov_penalty)
        weights = fit_weights(dev_scored, dev_counted)
        dev_rates = _rates(dev_scored, dev_counted, weights)
    elif tune and counted is not None:
        weights = fit_weights(scored, counted)
    return Rescored(
        weights,
        metric,
        tuple(utterances),
        tuple(tuple(ranked) for ranked in scored.ranked(weights)),
        None if counted is None else _rates(scored, counted, weights),
        len((references or {}).keys() - {utterance.id for utterance in utterances}),
        scored.oov,
        dev_rates,
        tune and dev is None,
    )


def _rates(scored: Scored, references: References, weights: Weights) -> ErrorRates:
    before, after = (scored.choice(w) for w in (Weights(0, 0), weights))
    rate = references.error_rate
    return ErrorRates(rate(before), rate(after), rate(references.oracle()))
