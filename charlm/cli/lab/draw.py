"""`charlm lab draw`: a model's network, and the inside of its cell, while it reads."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ...errors import CharlmError, require
from ..open_files import open_model
from ..options import Force
from ..talk import note


class What(StrEnum):
    """What an SVG file shows."""

    network = "network"
    cell = "cell"


def for_drawing(context: typer.Context, path: Path) -> Path:
    """Raise before the work, not after it, if no drawing can be written to `path`."""
    from ...display.diagram import is_diagram
    from ...display.html_page import is_page
    from ...system.output_file import check

    if path.suffix.lower() not in (".html", ".svg"):
        raise CharlmError(f"name a file that ends in .html or .svg, not {path}")
    is_ours = is_page if path.suffix.lower() == ".html" else is_diagram
    source = context.get_parameter_source("out")
    replace = bool(context.params["force"]) or (source is not None and source.name == "DEFAULT")
    check(path, is_ours, force=replace)
    return path


def draw(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Run directory or model file.")],
    text: Annotated[
        str, typer.Argument(help='What the network reads, ten tokens at most; "-" is stdin.')
    ],
    what: Annotated[
        What | None,
        typer.Option(help="What an SVG file shows.", show_default="network; cell with --step"),
    ] = None,
    step: Annotated[
        int | None,
        typer.Option(min=1, help="The step at which a cell is drawn.", show_default="the last"),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(
            metavar="HTML|SVG",
            callback=for_drawing,
            help="Where to draw: a page with everything, or one picture.",
        ),
    ] = Path("lab-draw.html"),
    force: Force = False,
) -> None:
    r"""Draw a model's network at work on a text: unrolled in time, and the inside of its cell.

    In colours, what the model really computes: states, gates, the most probable next token. The
    network is drawn with all layers, dense ones too, and both directions; the cell is that of the
    lowest layer.

    \b
    charlm lab draw runs/latest "The cats, which slept, were"
    charlm lab draw runs/latest "The cats" --what cell --step 2 --out cell.svg
    """
    from ...display.network_page import page
    from ...system.output_file import writing
    from ...tasks.draw import draw as drawn

    page_wanted = out.suffix.lower() == ".html"
    require(
        not page_wanted or (what is None and step is None),
        "--what and --step are for a single picture: name an .svg file with --out",
    )
    require(
        what is not What.network or step is None,
        "--step is for a cell: add --what cell, or leave it out",
    )
    if text == "-":
        text = sys.stdin.readline().rstrip("\n")
    used = open_model(model)
    found = drawn(used.lm, used.tokenizer, text)
    if found.left_out:
        note(f"the first {len(found.tokens)} of {len(found.tokens) + found.left_out:,} tokens")
    if page_wanted:
        shown = page(str(used.info["path"]), found.tokens, found.network, found.cells)
    elif what is not What.cell and step is None:
        shown = found.network.svg(" ".join(found.tokens), alone=True)
    else:
        require(bool(found.cells), "a bidirectional network is drawn as a whole only")
        at = len(found.cells) if step is None else step
        require(at <= len(found.cells), f"there are {len(found.cells)} steps, but no step {at}")
        shown = found.cells[at - 1].svg(f"while it reads {found.tokens[at - 1]}", alone=True)
    with writing(out) as file:
        file.write(shown.encode("utf-8"))
    note(f"drawing: {out}")
