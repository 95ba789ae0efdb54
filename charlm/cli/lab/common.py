"""What the experiments of the laboratory share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ...cli import show
from ...config import CELLS, TokenizerConfig, require
from ...display.charts import Panel, png
from ...errors import CharlmError
from ...system.storage import check_output, is_among, output
from ..talk import note


def writable(path: Path) -> Path:
    """Refuse a place that cannot be written to before the work rather than after it."""
    check_output(path)
    return path


def refuse_inputs(out: Path, texts: Iterable[str] = (), models: Iterable[str] = ()) -> None:
    """Raise CharlmError, before the work, where --out names what the experiment reads.

    A model is a file or a run directory. Raises CharlmError where there is none.
    """
    from ...models.model_file import resolve

    if is_among(out, [*texts, *(resolve(model) for model in models)]):
        raise CharlmError(f"{out} is one of the files to read: name another with --out")


Picture = Annotated[
    Path,
    typer.Option("--out", metavar="PNG", callback=writable, help="Where the picture is written."),
]
Seed = Annotated[
    int, typer.Option(min=0, max=1 << 62, help="The same seed makes the same experiment.")
]


def write_picture(path: Path, panels: Sequence[Panel], columns: int = 1) -> None:
    """Write the picture, wherever --out leads, and say where it is."""
    picture = png(panels, columns)
    with output(path) as file:
        file.write(picture)
    note(f"picture: {path}")


# Networks trained on a user's text ------------------------------------------------------------


class Levels(StrEnum):
    """What an experiment may take for a token."""

    char = "char"
    word = "word"
    byte = "byte"


CorpusFile = Annotated[str, typer.Argument(metavar="CORPUS", help='A text file; "-" reads stdin.')]
Level = Annotated[Levels, typer.Option(help="What a token is.")]
Cells = Annotated[
    str, typer.Option(metavar="NAMES", help="Kinds of cell, with commas between them.")
]
Hidden = Annotated[int, typer.Option(min=1, max=4096, help="Units of each network.")]


def cells_of(names: str) -> list[str]:
    """The cells of --cells, each once. Raises CharlmError for an unknown one."""
    cells = list(dict.fromkeys(name.strip() for name in names.split(",")))
    for cell in cells:
        require(cell in CELLS, f"unknown cell {cell!r}: choose of {', '.join(CELLS)}")
    return cells


def tokens_of(level: Levels) -> TokenizerConfig:
    """How text becomes tokens: words without those seen but once or twice, to be quick."""
    if level is Levels.word:
        return TokenizerConfig(level="word", split="unicode", min_count=3)
    return TokenizerConfig(level=level.value)


def short(value: float) -> str:
    """A number of any size in few columns: 0.50, 0.013, 2e-8."""
    if value == 0 or 0.095 <= abs(value) < 1e4 or not math.isfinite(value):
        return show.number(value)
    if 0.00095 <= abs(value) < 1:
        return f"{value:.3f}"
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}"
