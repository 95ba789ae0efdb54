"""Which of several models a text is most probably from: language, author, genuine or gibberish.

    P(label | text) ∝ P(label) · P(text | model of the label)        (Bayes)

A language model's log P is too sure of itself where tokens depend on each other in ways it does
not know, so the scores may be divided by a temperature fitted on labelled text (Guo et al. 2017).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import CharlmError
from ..lm import LanguageModel, causal
from ..models.logspace import log_softmax
from ..text.tokenizer import Tokenizer
from .score import encode_line
from .shared_prefixes import shared_logprobs

Numbers: TypeAlias = npt.NDArray[np.float64]
TEMPERATURES = 2.0 ** np.arange(-4, 10.01, 0.125)


@dataclass(frozen=True)
class Classification:
    """A text, the probability of every label, and the most probable."""

    text: str
    label: str
    posterior: Mapping[str, float]
    margin: float  # log odds of the label against all others, nats

    def as_dict(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "label": self.label,
            "posterior": dict(self.posterior),
            "margin": self.margin,
        }


def log_priors(labels: Sequence[str], given: Mapping[str, float]) -> Numbers:
    """log P(label), (K,) nats: what is left of 1 is shared by the labels not given.

    Raises CharlmError for unknown labels and for priors that are no probabilities.
    """
    for name, value in given.items():
        if name not in labels:
            raise CharlmError(f"there is a prior for {name}, but no model of that name")
        if not 0 < value < 1:
            raise CharlmError(f"the prior of {name} must be between 0 and 1, not {value}")
    rest, total = [name for name in labels if name not in given], sum(given.values())
    if (rest and total >= 1) or (not rest and abs(total - 1) > 1e-6):
        raise CharlmError(f"the priors add up to {total:g}: together they must make 1")
    share = (1 - total) / len(rest) if rest else 0.0
    return np.log([given.get(name, share) for name in labels])


def log_likelihoods(
    models: Sequence[tuple[LanguageModel, Tokenizer]], texts: Sequence[str]
) -> Numbers:
    """log P(text | each model), (N, K) nats."""
    found = []
    for lm, tokenizer in models:
        nats = shared_logprobs(causal(lm), [encode_line(tokenizer, text) for text in texts])
        found.append([float(own.sum(dtype=np.float64)) for own in nats])
    return np.array(found).T


def log_posteriors(likelihoods_NK: Numbers, priors_K: Numbers, temperature: float) -> Numbers:
    """log P(label | text), (N, K) nats."""
    return np.asarray(log_softmax(likelihoods_NK / temperature + priors_K), np.float64)


def calibrate(likelihoods_NK: Numbers, priors_K: Numbers, truth_N: Sequence[int]) -> float:
    """The temperature under which the true labels of N texts are most probable."""
    rows = np.arange(len(truth_N))
    losses = [
        -log_posteriors(likelihoods_NK, priors_K, t)[rows, truth_N].mean() for t in TEMPERATURES
    ]
    return float(TEMPERATURES[int(np.argmin(losses))])


def verdicts(
    texts: Sequence[str], labels: Sequence[str], posteriors_NK: Numbers
) -> list[Classification]:
    """The most probable label of every text; of equals the first."""
    found = []
    for text, row in zip(texts, posteriors_NK, strict=True):
        best = int(np.argmax(row))
        others = np.delete(row, best)
        odds = float(row[best] - np.logaddexp.reduce(others)) if len(others) else math.inf
        shares = {name: math.exp(nats) for name, nats in zip(labels, row, strict=True)}
        found.append(Classification(text, labels[best], shares, odds))
    return found


def read_labelled(
    lines: Iterable[str], name: str, labels: Sequence[str]
) -> tuple[list[str], list[int]]:
    """Texts and the places of their labels from lines of `label<TAB>text`.

    Raises CharlmError with the number of a line that is otherwise.
    """
    texts, truth = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        label, tab, text = line.partition("\t")
        if not tab or label.strip() not in labels:
            raise CharlmError(
                f"{name}, line {number}: a label ({', '.join(labels)}), a tab and a text "
                "should stand here"
            )
        if not text.strip():
            raise CharlmError(f"{name}, line {number}: there is no text behind the label")
        texts.append(text.strip())
        truth.append(labels.index(label.strip()))
    if not texts:
        raise CharlmError(f"{name} holds no labelled texts")
    return texts, truth
