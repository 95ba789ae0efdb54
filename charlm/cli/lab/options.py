"""Options shared by several experiments."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ...system.storage import check_output


class Levels(StrEnum):
    """The levels that an experiment supports."""

    char = "char"
    word = "word"
    byte = "byte"


def writable(path: Path) -> Path:
    """Raise OSError before the work, not after it, if `path` cannot be written to."""
    check_output(path)
    return path


Picture = Annotated[
    Path,
    typer.Option("--out", metavar="PNG", callback=writable, help="Where to write the picture."),
]
Seed = Annotated[
    int, typer.Option(min=0, max=1 << 62, help="The same seed gives the same results.")
]
CorpusFile = Annotated[str, typer.Argument(metavar="CORPUS", help='A text file; "-" reads stdin.')]
Level = Annotated[Levels, typer.Option(help="What a token is.")]
Cells = Annotated[str, typer.Option(metavar="NAMES", help="Cells, separated by commas.")]
Hidden = Annotated[int, typer.Option(min=1, max=4096, help="Units of each network.")]
Seeds = Annotated[int, typer.Option(min=1, max=100, help="Runs with different seeds.")]
