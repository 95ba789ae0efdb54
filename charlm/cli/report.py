"""`charlm report`: a run as a page."""

from __future__ import annotations

from typing import Annotated

import typer

from . import show
from .common import Quiet, Verbose, detail


def report(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN",
            help="Run directory. Without it: $CHARLM_MODEL's, then runs/latest.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="HTML",
            help="Where the page is written. Without it: report.html in the run directory.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the page's numbers as JSON.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    r"""Make one page of a run: curves, samples, surprise, settings, speed.

    The page is one HTML file that needs no network. An n-gram model of the same text stands beside
    the network, and the validation text is shown by how surprising it was.

    \b
    charlm report
    charlm report runs/corpus --out corpus.html
    """
    from ..reports.page import write
    from .stages import stages

    with stages("report") as events:
        place, found = write(run, out, events)
    detail(f"run: {found.run}")
    if json:
        show.emit_json({"report": str(place), **found.as_dict()})
    else:
        show.line(str(place))
