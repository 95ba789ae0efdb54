"""`charlm lab gradients`: vanishing and exploding gradients."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...cli import show
from ..options import Column, Encoding, Errors, Field, Force
from .experiment import cells_of, conclude, short, training_on
from .options import Cells, CorpusFile, Hidden, Json, Lang, Languages, Level, Levels, Picture, Seed

if TYPE_CHECKING:
    from ...lab.gradients import Curve, Gradients
    from ...text.source import Reading

EXPLODED_ABOVE = 2.0  # times the gradient at k = 0


def gradients(
    corpus: CorpusFile,
    cells: Cells = "rnn,rnn-relu,gru,lstm,lstm-peephole",
    hidden: Hidden = 128,
    steps: Annotated[int, typer.Option(min=1, help="Steps of training, each cell.")] = 800,
    length: Annotated[int, typer.Option(min=1, max=1000, help="Steps back, at most.")] = 60,
    level: Level = Levels.char,
    seed: Seed = 1,
    out: Picture = Path("lab-gradients.png"),
    force: Force = False,
    lang: Lang = Languages.en,
    json: Json = False,
    encoding: Encoding = "utf-8",
    errors: Errors = "strict",
    field: Field = None,
    column: Column = None,
) -> None:
    r"""Show how gradients vanish and explode: a minute or two.

    How much of the gradient of the loss reaches the state of the network k steps earlier (of an
    LSTM: h and c together), on the last tenth of the text: for each cell, before and after
    training, on this text and on a language in which something must be recalled after 30 steps;
    for fresh LSTMs with several forget biases; and for plain networks whose recurrent matrix W is
    scaled below and above ‖W‖ = 1. What clipping does: charlm lab cliff.

    \b
    charlm lab gradients corpus.txt
    charlm lab gradients corpus.txt --cells rnn,lstm --json
    """
    from ...lab.gradients import experiment

    chosen, doing = cells_of(cells), "following gradients"
    how: Reading = {"encoding": encoding, "errors": errors, "field": field, "column": column}
    with training_on(corpus, level, out, doing, **how) as (text, progress):
        found = experiment(
            text,
            cells=chosen,
            hidden=hidden,
            steps=steps,
            length=length,
            seed=seed,
            progress=progress,
        )
    conclude(found, json, _print, out, lang, columns=2)


def _print(found: Gradients) -> None:
    for table in (_cells(found), _lagged(found), _biased(found), _scaled(found)):
        head, *body = table
        show.line(head, "dim")
        for line in body:
            show.line(line)
        show.line()
    for remark in _remarks(found):
        show.paragraph(remark, indent=0)


def _cells(found: Gradients) -> list[str]:
    from ...lab.gradients import TABLE_DISTANCES

    marks = [*(f"k={k}" for k in TABLE_DISTANCES), "1 % at"]
    rows = [["part left at", *marks, "│", *marks, "loss"]]
    for one in found.cells:
        row = [one.fresh.cell]
        for curve in (one.fresh, one.trained):
            row += [short(curve.ratio(k)) for k in TABLE_DISTANCES] + [_faded(curve)]
            row.append("│" if curve is one.fresh else show.number(one.loss))
        rows.append(row)
    fresh, trained = (" " * 14 + "fresh").ljust(46), "trained"
    return [fresh + trained, *show.columns(rows, "<" + ">" * (len(rows[0]) - 1))]


def _scaled(found: Gradients) -> list[str]:
    from ...lab.gradients import GAINS, SCALED_CELLS

    k = found.far
    rows = [[f"fresh, at k={k}, ‖W‖ =", *(f"{gain:.1f}" for gain in GAINS)]]
    for cell in SCALED_CELLS:
        own = [short(c.ratio(k)) for c in found.scaled if c.cell == cell]
        rows.append([cell, *own])
    rows.append(["bound ‖W‖ᵏ", *(short(gain**k) for gain in GAINS)])
    return show.columns(rows, "<" + ">" * len(GAINS))


def _lagged(found: Gradients) -> list[str]:
    at = (1, 10, 20, found.lag - 1)
    rows = [[f"to recall after {found.lag} steps", *(f"k={k}" for k in at), "right"]]
    for one in found.cells:
        parts = [short(one.lagged.ratio(k)) for k in at]
        rows.append([one.fresh.cell, *parts, f"{100 * one.recall:.0f} %"])
    return show.columns(rows, "<" + ">" * (len(rows[0]) - 1))


def _biased(found: Gradients) -> list[str]:
    from ...lab.gradients import FORGET_BIASES

    k = found.far
    rows = [
        ["fresh lstm, forget bias", *(f"{bias:g}" for bias in FORGET_BIASES)],
        [f"part left at k={k}", *(short(c.ratio(k)) for c in found.biased)],
        ["1 % at", *map(_faded, found.biased)],
    ]
    return show.columns(rows, "<" + ">" * len(FORGET_BIASES))


def _remarks(found: Gradients) -> Iterator[str]:
    """Remarks on the numbers."""
    k = found.far
    faded = [f"{one.fresh.cell} {_faded(one.trained)}" for one in found.cells]
    yield f"Trained on text, less than 1 % is left from k on: {', '.join(faded)}."
    last = found.lag - 1
    held = [
        f"{one.fresh.cell} {short(one.lagged.ratio(last) / one.lagged.ratio(10))}"
        for one in found.cells
    ]
    yield (
        f"Trained to recall, of what is there at k = 10 this part is left at k = {last}: "
        f"{', '.join(held)}."
    )
    grown = [c for c in found.scaled if c.ratio(k) > EXPLODED_ABOVE]
    exploding = "; ".join(
        f"{cell} explodes from {min(c.gain for c in grown if c.cell == cell)}"
        for cell in dict.fromkeys(c.cell for c in grown)
    )
    below = max(c.ratio(k) for c in found.scaled if c.gain < 1)
    yield (
        f"‖W‖ < 1: it vanishes, to {short(below)} or less at k = {k}. ‖W‖ > 1 does not suffice "
        f"for exploding, since units saturate or are inactive: {exploding or 'none explodes here'}."
    )


def _faded(curve: Curve) -> str:
    return f">{len(curve.norms) - 1}" if curve.faded is None else f"{curve.faded}"
