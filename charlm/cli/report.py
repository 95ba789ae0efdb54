"""`charlm report`: write an HTML page about a run."""

from __future__ import annotations

from typing import Annotated

import typer

from . import show
from .options import Force
from .talk import detail


def report(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN",
            help="Run directory. Default: that of $CHARLM_MODEL, then runs/latest.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="HTML",
            help="Where to write the page. Default: report.html in the run directory.",
            show_default=False,
        ),
    ] = None,
    force: Force = False,
    json: Annotated[bool, typer.Option("--json", help="Print the page's numbers as JSON.")] = False,
) -> None:
    r"""Make a page about a run, with curves, samples and surprisal.

    The page is one self-contained HTML file. It compares the network with an n-gram model of the
    same text and colours the validation text by surprisal.

    \b
    charlm report
    charlm report runs/corpus --out corpus.html
    """
    from ..reports.page import write
    from .stage_progress import stages

    with stages("report") as events:
        place, found = write(run, out, events, force=force)
    detail(f"run: {found.run}")
    if json:
        show.emit_json({"report": str(place), **found.as_dict()})
    else:
        show.line(str(place))
