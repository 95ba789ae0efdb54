"""What the experiments of the laboratory share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ...pictures import Panel, write_png
from ...storage import check_output
from ..common import note


def writable(path: Path) -> Path:
    """Refuse a place that cannot be written to before the work rather than after it."""
    check_output(path)
    return path


Picture = Annotated[
    Path,
    typer.Option("--out", metavar="PNG", callback=writable, help="Where the picture is written."),
]
Seed = Annotated[int, typer.Option(min=0, help="The same seed makes the same experiment.")]


def write_picture(path: Path, panels: Sequence[Panel], columns: int = 1) -> None:
    """Write the picture and say where it is."""
    write_png(path, panels, columns)
    note(f"picture: {path}")
