"""Classification by several models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .model import Model, load

if TYPE_CHECKING:  # imported on first use
    from ..tasks.classify import Classified, Labelled


def classify(
    texts: Sequence[str],
    models: Mapping[str, Model | str | Path],
    *,
    priors: Mapping[str, float] | None = None,
    calibrate: str | Path | Sequence[Labelled] = (),
    truth: Sequence[str] | None = None,
    oov: str | None = None,
    encoding: str = "utf-8",
    errors: str = "strict",
) -> Classified:
    """Label each text with the model that finds it most probable: its language, author, genre.

    models: by label, two or more: models, or what `load` takes.
    priors (mapping, None): P(label); labels without one share the remainder equally.
    calibrate (path or sequence, ()): (label, text) pairs, or a tab-separated file of them, to fit
    the temperature that log-likelihoods are divided by, so that probabilities are calibrated.
    truth (sequence of str, None): the true label of every text, for the accuracy.
    oov (str, None): how unknown words count, see `Model.compare`.
    encoding (str, "utf-8"): of the file.
    errors (str, "strict"): how to handle bytes that do not decode.

    Raises CharlmError for fewer than two models, invalid priors, and labels without a model.
    """
    from ..tasks.classify import classify, read_labelled_file

    loaded = {k: one if isinstance(one, Model) else load(one) for k, one in models.items()}
    if isinstance(calibrate, str | Path):
        calibrate = read_labelled_file(calibrate, list(models), encoding=encoding, errors=errors)
    return classify(
        {label: (one.lm, one.tokenizer) for label, one in loaded.items()},
        texts,
        priors=priors,
        calibrate=calibrate,
        truth=truth,
        oov=oov,
    )
