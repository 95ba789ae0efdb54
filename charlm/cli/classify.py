"""`charlm classify`: label texts by the model that finds them most probable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import CharlmError
from . import show
from .open_files import count_unknown, drop_empty, note_unknown, only_once, open_lines
from .open_files import open_model as open_one
from .options import Column, Device, Encoding, Errors, Field, Json, OovTreatment
from .talk import aside, note, progress_bar

if TYPE_CHECKING:
    from ..tasks.classify import Classification


def classify(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help='One text per line; "-" reads stdin.')
    ],
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
    oov: OovTreatment = None,
    json: Json = False,
    encoding: Encoding = "utf-8",
    errors: Errors = "strict",
    field: Field = None,
    column: Column = None,
    device: Device = None,
) -> None:
    r"""Label each line with the model that finds it most probable.

    A label may be a language, an author or a genre.

    Prints TSV: label, its probability, log odds against all others (nats), text.

    \b
    charlm classify mail.txt -m en=runs/english -m de=runs/german
    charlm classify test.tsv -m good=runs/real -m bad=runs/noise --calibrate dev.tsv --labelled
    """
    from ..tasks.classify import classify as find_labels
    from ..tasks.classify import log_priors, read_labelled_file

    named = _named(model, "--model")
    labels = list(named)
    only_once(file, calibrate)
    if labelled and (field is not None or column is not None):
        raise CharlmError("--labelled reads lines of label, tab, text: leave out --field, --column")
    if len(labels) < 2:
        raise CharlmError("classifying takes two models or more: --model name=path, twice")
    priors = {name: _probability(name, p) for name, p in _named(prior or [], "--prior").items()}
    log_priors(labels, priors)  # raise before any model is opened
    opened = {label: open_one(path, device) for label, path in named.items()}
    how = {"encoding": encoding, "errors": errors}
    dev = read_labelled_file(calibrate, labels, **how) if calibrate else []
    truth = None
    if labelled:
        truth, texts = zip(*read_labelled_file(file, labels, **how), strict=True)
    else:
        with open_lines(file, **how, field=field, column=column) as (name, lines):
            texts = tuple(drop_empty(lines, name, "classify"))
    with progress_bar(f"scoring {show.count(len(texts) + len(dev), 'text')}"):
        found = find_labels(
            {label: (one.lm, one.tokenizer) for label, one in opened.items()},
            texts,
            priors=priors,
            calibrate=dev,
            truth=truth,
            oov=oov,
        )
    for label, one in opened.items():
        note_unknown(*count_unknown(one, texts), found.oov, label)
    if dev:
        note(f"temperature {found.temperature:.3g}, from {show.count(len(dev), 'text')}")
    if json:
        show.emit_json(found.as_dict())
        return
    show.emit_table(["label", "probability", "margin", "text"], [_row(one) for one in found.texts])
    if found.accuracy is not None:
        total = len(texts)
        aside(f"{found.accuracy * total:,.0f} of {total:,} right: {found.accuracy:.1%}")


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


def _probability(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise CharlmError(f"the prior of {name} is not a number: {text!r}") from None
