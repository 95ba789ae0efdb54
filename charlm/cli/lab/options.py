"""Options shared by several experiments."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ...display.charts import is_picture
from ...display.html_page import is_page
from ...errors import require
from ...system.output_file import check


class Levels(StrEnum):
    """The levels that an experiment supports."""

    char = "char"
    word = "word"
    byte = "byte"


class Languages(StrEnum):
    """The languages of captions."""

    en = "en"
    zh = "zh"


def for_captions(lang: Languages) -> Languages:
    """Raise before the work, not after it, if there is no font for a picture's captions."""
    if lang is not Languages.en:
        from ...lab.chinese import fonts_for

        fonts_for(lang)
    return lang


def for_picture(context: typer.Context, path: Path) -> Path:
    """Raise before the work, not after it, if no picture can be written to `path`."""
    _check_ending(path, ".png")
    check(path, is_picture, force=_may_replace(context))
    return path


def for_page(context: typer.Context, path: Path | None) -> Path | None:
    """Raise before the work, not after it, if no page can be written to `path`."""
    if path is not None:
        _check_ending(path, ".html")
        check(path, is_page, force=_may_replace(context))
    return path


def _check_ending(path: Path, ending: str) -> None:
    """A new file is to be called what it is."""
    require(
        path.exists() or path.suffix.lower() == ending,
        f"name a file that ends in {ending}, not {path}",
    )


def _may_replace(context: typer.Context) -> bool:
    """Whether any file may go: where --force says so, and under the name that charlm chose."""
    source = context.get_parameter_source("out")
    return bool(context.params["force"]) or (source is not None and source.name == "DEFAULT")


Picture = Annotated[
    Path,
    typer.Option("--out", metavar="PNG", callback=for_picture, help="Where to write the picture."),
]
Page = Annotated[
    Path,
    typer.Option("--out", metavar="HTML", callback=for_page, help="Where to write the page."),
]
Lang = Annotated[Languages, typer.Option(callback=for_captions, help="Language of the captions.")]
PageLang = Annotated[Languages, typer.Option(help="Language of the captions.")]
Json = Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")]
Seed = Annotated[
    int, typer.Option(min=0, max=1 << 62, help="The same seed gives the same results.")
]
CorpusFile = Annotated[str, typer.Argument(metavar="CORPUS", help='A text file; "-" reads stdin.')]
Level = Annotated[Levels, typer.Option(help="What a token is.")]
Cells = Annotated[str, typer.Option(metavar="NAMES", help="Cells, separated by commas.")]
Hidden = Annotated[int, typer.Option(min=1, max=4096, help="Units of each network.")]
Seeds = Annotated[int, typer.Option(min=1, max=100, help="Runs with different seeds.")]
