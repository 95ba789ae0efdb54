"""`charlm lab cell`: the memory cell, its gates opened and shut by hand."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...cli import show
from ...errors import CharlmError, require
from ..options import Force
from ..talk import note
from .cell_frame import frame
from .experiment import conclude, short
from .options import Json, Lang, Languages, Picture, Seed, for_page

if TYPE_CHECKING:
    from ...lab.cell import ByHand, Gates, Hand

ANIMATION_SECONDS = 3.0  # for a whole run
MAX_FRAMES = 100
MAX_FRAME_SECONDS = 0.4


def cell(
    steps: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="STEPS",
            help="What to do: write X, add X, keep N, read [N], clear, gates I F O X. "
            "Default: write 4.2 keep 200 read clear read.",
            show_default=False,
        ),
    ] = None,
    keys: Annotated[bool, typer.Option("--keys", help="Work the gates by keys.")] = False,
    noise: Annotated[float, typer.Option(min=0, help="Largest input while nothing is written.")] = (
        1.0
    ),
    weights: Annotated[
        str, typer.Option(metavar="NUMBERS", help="Recurrent weights of the plain RNNs.")
    ] = "0.9,1,1.2",
    animate: Annotated[
        bool, typer.Option("--animate/--no-animate", help="Show each step, on a terminal.")
    ] = True,
    seed: Seed = 1,
    out: Picture = Path("lab-cell.png"),
    page: Annotated[
        Path | None,
        typer.Option(
            metavar="HTML", callback=for_page, help="Also write a page.", show_default=False
        ),
    ] = None,
    force: Force = False,
    lang: Lang = Languages.en,
    json: Json = False,
) -> None:
    r"""Work a memory cell by hand: write, keep, read, clear.

    A gate is open (1), shut (0) or anything between. The input gate i writes, the forget gate f
    keeps, the output gate o reads: c = f c + i x, y = o c. While nothing is written, noise arrives,
    which the shut input gate keeps out. Plain RNNs of one unit get the same inputs, and the
    gradient of what is read first is followed back to the first step.

    \b
    charlm lab cell
    charlm lab cell write 4.2 keep 20 add 1 keep 20 read
    charlm lab cell --keys
    """
    from ...lab.cell import SCRIPT, Hand, script
    from ...system.output_file import writing

    require(
        page is None or page.suffix == ".html",
        f"--page writes HTML: name a file that ends in .html, not {page}",
    )
    hand = Hand(seed, noise, _numbers(weights))
    if keys:
        if steps:
            raise CharlmError("--keys takes the steps from the keyboard: leave STEPS out")
        from .cell_by_keys import work

        work(hand)
        if not hand.steps:
            return
    else:
        chosen = script(steps or SCRIPT)
        if animate and not json and show.is_terminal(sys.stdout):
            _animate(hand, chosen)
        else:
            for gates in chosen:
                hand.step(gates)
    found = hand.finished()
    conclude(found, json, _print, out, lang)
    if page is not None:
        from ...lab.cell_page import page as page_of

        with writing(page) as file:
            file.write(page_of(found, lang).encode("utf-8"))
        note(f"page: {page}")


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise CharlmError(f"--weights takes numbers separated by commas, not {text!r}") from None


def _animate(hand: Hand, chosen: Sequence[Gates]) -> None:
    """Take the steps one by one, showing MAX_FRAMES of them at most, and the last."""
    from rich.live import Live

    stride = math.ceil(len(chosen) / MAX_FRAMES)
    pause = min(MAX_FRAME_SECONDS, ANIMATION_SECONDS * stride / len(chosen))
    with Live(console=show.console(), transient=True, auto_refresh=False) as live:
        for k, gates in enumerate(chosen, 1):
            step = hand.step(gates)
            if k % stride == 0 or k == len(chosen):
                head = f"step {k:,} of {len(chosen):,}"
                live.update("\n".join(frame(hand, step, head)), refresh=True)
                time.sleep(pause)


def _print(found: ByHand) -> None:
    _table(found)
    show.line("(w: what plain RNNs of one unit hold, whose recurrent weight is w)", "dim")
    T = found.reading
    if not T:
        return
    show.line()
    far = [
        f"{short(one[0])} (w = {w:g})"
        for w, one in zip(found.weights, found.rnn_gradients, strict=True)
    ]
    show.paragraph(
        f"From step {T} back to step 1: ∂c_{T}/∂c_1 = {show.number(found.cell_gradient[0])}; in "
        f"the RNNs ∂h_{T}/∂h_1 = {', '.join(far)}.",
        indent=0,
    )


def _table(found: ByHand) -> None:
    """The steps; RNNs for which a line has no room follow in tables of their own."""
    spans = found.spans()
    own = [["steps", "", "i", "f", "o", "c", "y"]]
    for steps, step in spans:
        gates = (f"{gate:g}" for gate in (step.i, step.f, step.o))
        own.append([steps, step.name, *gates, show.number(step.c), show.number(step.y)])
    rnns: list[Sequence[str]] = [
        [f"w = {w:g}", *(show.number(step.held[k]) for _, step in spans)]
        for k, w in enumerate(found.weights)
    ]
    columns: list[Sequence[str]] = list(zip(*own, strict=True))
    align = "<<>>>>>"
    heads = columns[:2]
    for rnn in rnns:
        wider = [*columns, rnn]
        if len(columns) > len(heads) and _width(wider) > show.width():
            show.table(list(zip(*columns, strict=True)), align)
            show.line()
            wider, align = [*heads, rnn], "<<"
        columns, align = wider, f"{align}>"
    show.table(list(zip(*columns, strict=True)), align)


def _width(columns: Sequence[Sequence[str]]) -> int:
    """Of a table, with two spaces between its columns."""
    return sum(max(map(show.cells, column)) for column in columns) + 2 * len(columns) - 2
