"""`charlm lab bptt`: what truncating the gradient costs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...cli import show
from ..options import Column, Encoding, Errors, Field, Force
from .experiment import cells_of, conclude, training_on
from .options import (
    Cells,
    CorpusFile,
    Hidden,
    Json,
    Lang,
    Languages,
    Level,
    Levels,
    Picture,
    Seed,
    Seeds,
)

if TYPE_CHECKING:
    from ...lab.bptt import Truncation
    from ...text.source import Reading

RECALLED = 0.1  # bits at the end symbol, below which it is recalled


def bptt(
    corpus: CorpusFile,
    cells: Cells = "rnn,lstm",
    hidden: Hidden = 64,
    steps: Annotated[int, typer.Option(min=1, help="Steps of each training.")] = 400,
    seeds: Seeds = 3,
    level: Level = Levels.char,
    seed: Seed = 1,
    out: Picture = Path("lab-bptt.png"),
    force: Force = False,
    lang: Lang = Languages.en,
    json: Json = False,
    encoding: Encoding = "utf-8",
    errors: Errors = "strict",
    field: Field = None,
    column: Column = None,
) -> None:
    r"""Show loss against the length of truncated BPTT.

    On the text, and on a language whose loss needs ten steps; this takes some minutes.

    All trainings see the same tokens in the same batches, 64 tokens of 16 streams a step, and
    carry the state over; the gradient flows back through at most T of those 64. T = 1: none.

    \b
    charlm lab bptt corpus.txt
    charlm lab bptt corpus.txt --cells gru --seeds 3 --json
    """
    from ...lab.bptt import experiment

    chosen = cells_of(cells)
    how: Reading = {"encoding": encoding, "errors": errors, "field": field, "column": column}
    with training_on(corpus, level, out, "training", **how) as (text, progress):
        found = experiment(
            text,
            cells=chosen,
            hidden=hidden,
            steps=steps,
            seed=seed,
            seeds=seeds,
            progress=progress,
        )
    conclude(found, json, _print, out, lang)


def _print(found: Truncation) -> None:
    show.table(list(_rows(found)), "<>>>>>>")
    show.line()
    for remark in _remarks(found):
        show.paragraph(remark, indent=0)


def _rows(found: Truncation) -> Iterator[list[str]]:
    yield ["", "", "text:", "", "", f"after {found.lag}:", ""]
    yield ["cell", "T", "nats/token", "±", "bits/char", "bits", "by seed"]
    for cell in found.cells:
        for point, lagged in zip(found.points_of(cell), found.lagged_of(cell), strict=True):
            numbers = (point.loss, point.spread, point.bits_per_char)
            yield [
                point.cell,
                f"{point.bptt}",
                *(show.number(value, 3) for value in numbers),
                show.number(lagged.loss),
                " ".join(show.number(loss) for loss in lagged.losses),
            ]


def _remarks(found: Truncation) -> Iterator[str]:
    """Remarks on the numbers."""
    for cell in found.cells:
        points = found.points_of(cell)
        best = min(points, key=lambda point: point.loss)
        noise = max(point.spread for point in points)  # NaN of one seed: nothing is within it
        near = [f"{one.bptt}" for one in points if one.loss - best.loss <= noise]
        within = f"; no worse than seeds differ: T = {', '.join(near)}" if near else ""
        yield f"{cell}, on the text: best at T = {best.bptt}{within}."
    for cell in found.cells:
        known = [f"{one.bptt}" for one in found.lagged_of(cell) if max(one.losses) < RECALLED]
        recalls = f"with T = {', '.join(known)}" if known else "with no T"
        yield (
            f"{cell}, on the language: the symbol {found.lag} steps back is recalled in every run "
            f"{recalls}."
        )
