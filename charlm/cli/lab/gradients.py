"""`charlm lab gradients`: vanishing and exploding gradients."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...cli import show
from ..options import Column, Encoding, Errors, Field, Force, Json
from .experiment import cells_of, conclude, short, training_on
from .options import Cells, CorpusFile, Hidden, Level, Levels, Picture, Seed

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
    json: Json = False,
    encoding: Encoding = "utf-8",
    errors: Errors = "strict",
    field: Field = None,
    column: Column = None,
) -> None:
    r"""Show how gradients vanish and explode: a minute or two.

    How much of the gradient of the loss reaches the state of the network k steps earlier (of an
    LSTM: h and c together), on the last tenth of the text: for each cell, before and after
    training; for plain networks whose recurrent matrix W is scaled below and above ‖W‖ = 1; and
    what clipping changes.

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
    conclude(found, json, _print, out, columns=2)


def _print(found: Gradients) -> None:
    for table in (_cells(found), _scaled(found), _clipping(found)):
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


def _clipping(found: Gradients) -> list[str]:
    rows = [["rnn, ‖W‖ =", "", "clipped at", "largest ‖∇‖", "loss at end", f"k={found.far}"]]
    for run in found.clipping:
        at = f"{run.clip_norm}" if run.clip_norm else "never"
        numbers = [short(max(run.norms)), show.number(run.end), short(run.after.ratio(found.far))]
        rows.append([f"{run.after.gain}", run.optimizer, at, *numbers])
    return show.columns(rows, "<<<>>>")


def _remarks(found: Gradients) -> Iterator[str]:
    """Remarks on the numbers."""
    k = found.far
    if len(found.cells) > 1:
        order = sorted(found.cells, key=lambda one: one.trained.ratio(k))
        low, high = order[0].trained, order[-1].trained
        yield (
            f"After training, the gradient that reaches {k} steps back is {short(high.ratio(k))} "
            f"of that at the last step in {high.cell}, {short(low.ratio(k))} in {low.cell}."
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
    tame, tame_clipped, wild, wild_clipped = found.clipping
    yield (
        f"Clipping: training from ‖W‖ = {wild.after.gain} by plain gradient descent ends at a loss "
        f"of {show.number(wild.end)} without and {show.number(wild_clipped.end)} with it. Against "
        f"vanishing it cannot help, scaling what comes from near and far alike: at k = {k} the "
        f"network from ‖W‖ = {tame.after.gain} has {short(tame.after.ratio(k))} without and "
        f"{short(tame_clipped.after.ratio(k))} with it."
    )


def _faded(curve: Curve) -> str:
    return f">{len(curve.norms) - 1}" if curve.faded is None else f"{curve.faded}"
