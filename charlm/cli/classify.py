"""`charlm classify`: which model a text is most probably from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import CharlmError
from . import show
from .opening import drop_empty, note_unknown, only_once, open_lines
from .opening import open_model as open_one
from .options import Device, Encoding, Errors, Json
from .talk import aside, note, progress_bar

if TYPE_CHECKING:
    from ..tasks.classify import Classification


def classify(
    file: Annotated[str, typer.Argument(metavar="FILE", help='A text a line; "-" reads stdin.')],
    model: Annotated[
        list[str],
        typer.Option(
            "--model", "-m", metavar="NAME=PATH", help="A label and its model; two or more."
        ),
    ],
    prior: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=P", help="Prior probability of a label; by default all are equal."
        ),
    ] = None,
    calibrate: Annotated[
        str | None,
        typer.Option(
            metavar="TSV", help="Labelled lines (label, tab, text) to calibrate probabilities on."
        ),
    ] = None,
    labelled: Annotated[
        bool, typer.Option("--labelled", help="FILE has labels: report the accuracy.")
    ] = False,
    json: Json = False,
    encoding: Encoding = "utf-8",
    errors: Errors = "strict",
    device: Device = None,
) -> None:
    r"""Tell which model finds each line most probable: language, author, sense or nonsense.

    Prints TSV: label, its probability, log odds against all others (nats), text.

    \b
    charlm classify mail.txt -m en=runs/english -m de=runs/german
    charlm classify test.tsv -m good=runs/real -m bad=runs/noise --calibrate dev.tsv --labelled
    """
    from ..tasks.classify import calibrate as fit
    from ..tasks.classify import (
        log_likelihoods,
        log_posteriors,
        log_priors,
        read_labelled,
        verdicts,
    )

    named = _named(model, "--model")
    labels = list(named)
    only_once(file, calibrate)
    if len(labels) < 2:
        raise CharlmError("classifying takes two models or more: --model name=path, twice")
    priors = log_priors(
        labels, {name: _share(name, p) for name, p in _named(prior or [], "--prior").items()}
    )
    opened = {label: open_one(path, device) for label, path in named.items()}
    used = [(one.lm, one.tokenizer) for one in opened.values()]
    temperature, truth = 1.0, None
    if calibrate:
        with open_lines(calibrate, encoding, errors) as (name, lines):
            dev, places = read_labelled(lines, name, labels)
        for place, label in enumerate(labels):
            if place not in places:
                raise CharlmError(
                    f"{name} has no text labelled {label}: calibration needs every label"
                )
        with progress_bar("calibrating"):
            temperature = fit(log_likelihoods(used, dev), priors, places)
        note(f"temperature {temperature:.3g}, from {show.count(len(dev), 'text')}")
    with open_lines(file, encoding, errors) as (name, lines):
        if labelled:
            texts, truth = read_labelled(lines, name, labels)
        else:
            texts = drop_empty(lines, name, "classify")
    for label, one in opened.items():
        note_unknown(one, texts, label)
    with progress_bar(f"scoring {show.count(len(texts), 'text')}"):
        posteriors = log_posteriors(log_likelihoods(used, texts), priors, temperature)
    found = verdicts(texts, labels, posteriors)
    right = None
    if truth is not None:
        right = sum(one.label == labels[k] for one, k in zip(found, truth, strict=True))
    if json:
        share = None if right is None else right / len(found)
        record = {"temperature": temperature, "accuracy": share}
        show.emit_json({**record, "texts": [one.as_dict() for one in found]})
        return
    show.emit_tsv(["label", "probability", "margin", "text"], [_row(one) for one in found])
    if right is not None:
        aside(f"{right:,} of {len(found):,} right: {right / len(found):.1%}")


def _row(one: Classification) -> list[object]:
    return [one.label, f"{one.posterior[one.label]:.4g}", f"{one.margin:.4g}", one.text]


def _named(given: list[str], option: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not (name and equals and value):
            raise CharlmError(f"{option} takes name=value, not {item!r}")
        if name in found:
            raise CharlmError(f"{option} names {name} twice")
        found[name] = value
    return found


def _share(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise CharlmError(f"the prior of {name} is no number: {text!r}") from None
