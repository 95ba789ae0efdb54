"""Options that several experiments take."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ...system.storage import check_output


class Levels(StrEnum):
    """What an experiment may take for a token."""

    char = "char"
    word = "word"
    byte = "byte"


def writable(path: Path) -> Path:
    """Refuse a place that cannot be written to before the work rather than after it."""
    check_output(path)
    return path


Picture = Annotated[
    Path,
    typer.Option("--out", metavar="PNG", callback=writable, help="Where the picture is written."),
]
Seed = Annotated[
    int, typer.Option(min=0, max=1 << 62, help="The same seed makes the same experiment.")
]
CorpusFile = Annotated[str, typer.Argument(metavar="CORPUS", help='A text file; "-" reads stdin.')]
Level = Annotated[Levels, typer.Option(help="What a token is.")]
Cells = Annotated[
    str, typer.Option(metavar="NAMES", help="Kinds of cell, with commas between them.")
]
Hidden = Annotated[int, typer.Option(min=1, max=4096, help="Units of each network.")]
Seeds = Annotated[int, typer.Option(min=1, max=100, help="Trainings of each kind.")]
