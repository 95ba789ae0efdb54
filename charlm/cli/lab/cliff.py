"""`charlm lab cliff`: why gradients are clipped."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...cli import show
from ..options import Force
from .experiment import conclude, short
from .options import Json, Lang, Languages, Picture, Seed

if TYPE_CHECKING:
    from ...lab.cliff import Cliff


def cliff(
    beginnings: Annotated[int, typer.Option(min=1, max=1000, help="Descents of each kind.")] = 10,
    rate: Annotated[float, typer.Option("--lr", help="Learning rate.")] = 0.5,
    clip: Annotated[float, typer.Option(help="Largest norm, or largest value, allowed.")] = 0.3,
    steps: Annotated[int, typer.Option(min=1, max=100_000, help="Steps of each descent.")] = 400,
    seed: Seed = 1,
    out: Picture = Path("lab-cliff.png"),
    force: Force = False,
    lang: Lang = Languages.en,
    json: Json = False,
) -> None:
    r"""Show a cliff in the error surface, and what clipping does there.

    The example of Pascanu, Mikolov and Bengio (2013): one unit, 50 steps, and at the end it should
    be 0.7. The error over weight and bias has a cliff, at which the gradient is so large that one
    step of gradient descent leads far away. The same descents are made without clipping, with the
    gradient clipped by its norm, and with each of its values clipped.

    \b
    charlm lab cliff
    charlm lab cliff --seed 2 --clip 0.1 --json
    """
    from ...lab.cliff import experiment

    found = experiment(seed=seed, beginnings=beginnings, rate=rate, clip=clip, steps=steps)
    conclude(found, json, _print, out, lang)


def _print(found: Cliff) -> None:
    show.table(list(_rows(found)), "<>>>>")
    show.line()
    plain, *clipped = (short(one.longest_step) for one in found.typical)
    goes = "is thrown {} away" if found.typical[0].thrown else "goes at most {}"
    show.paragraph(
        f"On the surface shown the gradient has a norm of up to {show.number(found.steepest, 0)}. "
        f"In the picture, the descent that is not clipped {goes.format(plain)} in one step; the "
        f"others go at most {' and '.join(clipped)}.",
        indent=0,
    )


def _rows(found: Cliff) -> Iterator[list[str]]:
    from ...lab.cliff import KINDS

    yield ["gradient", "arrived", "mean error", "largest norm", "longest step"]
    for kind in KINDS:
        own = found.of_kind(kind)
        yield [
            kind,
            f"{sum(one.arrived for one in own)} of {len(own)}",
            show.number(statistics.fmean(one.errors[-1] for one in own), 4),
            show.number(max(max(one.norms) for one in own), 1),
            show.number(max(one.longest_step for one in own), 2),
        ]
