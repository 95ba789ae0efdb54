"""`charlm lab timer`: stay on for as long as one input says."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...cli import show
from ..options import Force
from ..talk import progress_bar
from .experiment import conclude
from .options import Cells, Json, Lang, Languages, Picture, Seed, Seeds

if TYPE_CHECKING:
    from ...lab.timer import Timer


def timer(
    cells: Cells = "rnn,gru,lstm",
    size: Annotated[
        int, typer.Option(min=20, max=10_000, help="Steps that u2 = 1 stands for.")
    ] = 1000,
    steps: Annotated[int, typer.Option(min=1, help="Steps of each training.")] = 1000,
    seeds: Seeds = 1,
    seed: Seed = 1,
    out: Picture = Path("lab-timer.png"),
    force: Force = False,
    lang: Lang = Languages.en,
    json: Json = False,
) -> None:
    r"""Show how exactly networks keep time: Jaeger's timer.

    One input starts the timer, the other, u2 from 0.1 to 1, says for how long the output is to be
    0.5: 1,000 × u2 steps. Networks of 16 units learn it with short times first. At full size this
    takes a minute or two per seed; --size 100 takes seconds.

    \b
    charlm lab timer
    charlm lab timer --size 100 --cells gru,lstm --seeds 3
    """
    from ...lab.timer import experiment

    chosen = list(dict.fromkeys(name.strip() for name in cells.split(",")))
    with progress_bar("training") as progress:
        found = experiment(
            cells=chosen, size=size, steps=steps, seed=seed, seeds=seeds, progress=progress
        )
    conclude(found, json, _print, out, lang, columns=2)


def _print(found: Timer) -> None:
    show.table(list(_rows(found)), "<>>>>")
    show.line()
    show.paragraph(
        f"Error: the mean of |output − target| outside ±{found.tolerance} steps of the switch-off, "
        f"over {len(found.u2)} values of u2; on is 0.5, off is 0. Steps off: how many steps before "
        "or after the right one the output passes 0.25 for the last time.",
        indent=0,
    )


def _rows(found: Timer) -> Iterator[list[str]]:
    yield ["cell", "error, mean", "by seed", "steps off, mean", "at most"]
    for cell in found.cells:
        own = found.of_cell(cell)
        yield [
            cell,
            show.number(statistics.fmean(one.error for one in own), 4),
            ", ".join(show.number(one.error, 4) for one in own),
            show.number(statistics.fmean(one.lateness for one in own), 1),
            str(max(abs(late) for one in own for late in one.late)),
        ]
