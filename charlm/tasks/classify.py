"""Classification with one language model per label: language, author, topic, …

    P(label | text) ∝ P(label) · P(text | model of the label)        (Bayes)

Language models are overconfident where tokens depend on each other in ways they do not model, so
the scores may be divided by a temperature fitted on labelled text (Guo et al. 2017).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import CharlmError, require
from ..lm import LanguageModel, causal
from ..measures import oov_treatment
from ..models.logspace import log_softmax
from ..text.source import open_lines
from ..text.tokenizer import Tokenizer
from .measure_lines import measure_lines

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
    """log P(label), (K,) nats; labels without a prior share the remainder equally.

    Raises CharlmError for unknown labels and invalid priors.
    """
    for name, value in given.items():
        if name not in labels:
            raise CharlmError(f"there is a prior for {name}, but no model of that name")
        if not 0 < value < 1:
            raise CharlmError(f"the prior of {name} must be between 0 and 1, not {value}")
    others, total = [name for name in labels if name not in given], sum(given.values())
    if (others and total >= 1) or (not others and abs(total - 1) > 1e-6):
        raise CharlmError(f"the priors add up to {total:g}: they must add up to 1")
    default = (1 - total) / len(others) if others else 0.0
    return np.log([given.get(name, default) for name in labels])


def log_likelihoods(
    models: Sequence[tuple[LanguageModel, Tokenizer]], texts: Sequence[str], oov: str | None = None
) -> tuple[Numbers, str]:
    """log P(text | each model), (N, K) nats, and how unknown words were treated; see `classify`."""
    found = [measure_lines(causal(lm), tokenizer, texts) for lm, tokenizer in models]
    treated = oov_treatment(oov, (tuple(one.oov for one in row) for row in found))
    return np.array([[one.nats(treated) for one in row] for row in found]).T, treated


def log_posteriors(likelihoods_NK: Numbers, priors_K: Numbers, temperature: float) -> Numbers:
    """log P(label | text), (N, K) nats."""
    return np.asarray(log_softmax(likelihoods_NK / temperature + priors_K), np.float64)


def fit_temperature(likelihoods_NK: Numbers, priors_K: Numbers, truth_N: Sequence[int]) -> float:
    """The temperature that makes the true labels of N texts most probable."""
    rows = np.arange(len(truth_N))
    losses = [
        -log_posteriors(likelihoods_NK, priors_K, t)[rows, truth_N].mean() for t in TEMPERATURES
    ]
    return float(TEMPERATURES[int(np.argmin(losses))])


def most_probable(
    texts: Sequence[str], labels: Sequence[str], posteriors_NK: Numbers
) -> list[Classification]:
    """The most probable label of every text; the first in case of a tie."""
    found = []
    for text, row in zip(texts, posteriors_NK, strict=True):
        best = int(np.argmax(row))
        others = np.delete(row, best)
        odds = float(row[best] - np.logaddexp.reduce(others)) if len(others) else math.inf
        posterior = {name: math.exp(nats) for name, nats in zip(labels, row, strict=True)}
        found.append(Classification(text, labels[best], posterior, odds))
    return found


@dataclass(frozen=True)
class Classified:
    """Texts with their most probable labels."""

    texts: tuple[Classification, ...]  # in the order given
    temperature: float  # by which log-likelihoods were divided; 1 unless calibrated
    accuracy: float | None = None  # the fraction of correct labels, if the true ones are known
    oov: str = "closed"  # how unknown words are treated: closed | spelled | exclude

    @property
    def labels(self) -> list[str]:
        """The most probable label of every text."""
        return [one.label for one in self.texts]

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of `charlm classify --json`."""
        return {
            "temperature": self.temperature,
            "oov": self.oov,
            "accuracy": self.accuracy,
            "texts": [one.as_dict() for one in self.texts],
        }


Labelled: TypeAlias = tuple[str, str]  # a label and a text


def classify(
    models: Mapping[str, tuple[LanguageModel, Tokenizer]],
    texts: Sequence[str],
    *,
    priors: Mapping[str, float] | None = None,
    calibrate: Sequence[Labelled] = (),
    truth: Sequence[str] | None = None,
    oov: str | None = None,
) -> Classified:
    """Label every text with the model that finds it most probable.

    priors: P(label); labels without one share the remainder equally. calibrate: labelled texts to
    fit the temperature to. truth: the true label of every text, for the accuracy. oov: unknown
    words count as <UNK> alone (closed), as <UNK> and their spelling (spelled), or not at all
    (exclude); None: spelled if the models do not know the same words, else closed. Raises
    CharlmError for fewer than two models, invalid priors, labels without a model, and if
    calibration texts lack a label.
    """
    require(len(models) >= 2, "classifying takes two models or more")
    labels = list(models)
    prior_K = log_priors(labels, priors or {})
    used, temperature = list(models.values()), 1.0
    require(not isinstance(texts, str), "classify takes a list of texts, not one string")
    likelihoods, treated = log_likelihoods(used, texts, oov)
    if calibrate:
        indices = _label_indices(labels, [label for label, _ in calibrate])
        for k, label in enumerate(labels):
            require(
                k in indices,
                f"no calibration text is labelled {label}: every label needs some",
            )
        dev, _ = log_likelihoods(used, [text for _, text in calibrate], treated)
        temperature = fit_temperature(dev, prior_K, indices)
    posteriors = log_posteriors(likelihoods, prior_K, temperature)
    found = tuple(most_probable(texts, labels, posteriors))
    accuracy = None
    if truth is not None:
        require(len(truth) == len(texts), "there must be a true label for every text")
        pairs = zip(found, _label_indices(labels, truth), strict=True)
        accuracy = float(np.mean([one.label == labels[k] for one, k in pairs]))
    return Classified(found, temperature, accuracy, treated)


def _label_indices(labels: Sequence[str], given: Sequence[str]) -> list[int]:
    """The index of each given label in `labels`."""
    for label in given:
        require(label in labels, f"there is a text labelled {label}, but no model of that name")
    return [labels.index(label) for label in given]


def read_labelled(lines: Iterable[str], name: str, labels: Sequence[str]) -> list[Labelled]:
    """Labels and texts from lines of `label<TAB>text`.

    Raises CharlmError with the number of the first invalid line.
    """
    found: list[Labelled] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        label, tab, text = line.partition("\t")
        if not tab or label.strip() not in labels:
            raise CharlmError(
                f"{name}, line {number}: expected a label ({', '.join(labels)}), a tab and a text"
            )
        if not text.strip():
            raise CharlmError(f"{name}, line {number}: there is no text after the label")
        found.append((label.strip(), text.strip()))
    if not found:
        raise CharlmError(f"{name} holds no labelled texts")
    return found


def read_labelled_file(
    path: str | Path, labels: Sequence[str], *, encoding: str = "utf-8", errors: str = "strict"
) -> list[Labelled]:
    """The labelled texts in a file ("-": standard input), see `read_labelled`."""
    with open_lines(path, encoding, errors) as (name, lines):
        return read_labelled(lines, name, labels)
