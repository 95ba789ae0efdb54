"""`charlm lab depth`: what layers are good for, and what a learned start is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...cli import show
from ..options import Force
from ..talk import progress_bar
from .experiment import conclude
from .options import Json, Lang, Languages, Picture, Seed, Seeds

if TYPE_CHECKING:
    from ...lab.depth import Depth


def depth(
    cell: Annotated[str, typer.Option(metavar="NAME", help="rnn, gru or lstm.")] = "rnn",
    steps: Annotated[int, typer.Option(min=40, help="Steps of each training.")] = 2000,
    seeds: Seeds = 3,
    seed: Seed = 1,
    out: Picture = Path("lab-depth.png"),
    force: Force = False,
    lang: Lang = Languages.en,
    json: Json = False,
) -> None:
    r"""Show what three layers do better than one of the same size.

    Three little machines, of which each drives the next: a network reads what the first one reads,
    and tells the states of all three. One layer, one with dense layers between it and the output,
    and three layers, which have the fewest weights. Also: the loss of a sentence's first token,
    from a start of zeros and from a learned one. This takes a minute or two.

    \b
    charlm lab depth
    charlm lab depth --cell gru --seeds 1
    """
    from ...lab.depth import experiment

    with progress_bar("training") as progress:
        found = experiment(cell=cell, steps=steps, seed=seed, seeds=seeds, progress=progress)
    conclude(found, json, _print, out, lang, columns=2)


def _print(found: Depth) -> None:
    from ...lab.depth import LENGTH

    show.line(f"% wrong, in sequences of {LENGTH} steps, by seed ({found.cell})", "bold")
    show.table(list(_rows(found)), "<>>>")
    show.line()
    show.line("loss of the first token (nats)", "bold")
    rows = [["start", "by seed"]]
    rows += [[name, ", ".join(f"{one:.2f}" for one in own)] for name, own in found.first.items()]
    show.table([*rows, ["(entropy: the least)", f"{found.least:.2f}"]], "<>")


def _rows(found: Depth) -> Iterator[list[str]]:
    """A column for every network."""
    names = list(found.trials)
    yield ["", *names]
    yield ["units of a layer", *(str(found.widths[name]) for name in names)]
    yield ["weights", *(f"{found.trials[name][0].weights:,}" for name in names)]
    for m in range(3):
        wrong = [found.errors(name, m) for name in names]
        yield [f"machine {m + 1}", *(", ".join(f"{100 * e:.1f}" for e in own) for own in wrong)]
