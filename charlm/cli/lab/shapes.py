"""`charlm lab shapes`: one or many tokens in, one or many out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...cli import show
from ..options import Force
from ..talk import note, progress_bar
from .options import Json, Languages, Page, PageLang, Seed, Seeds

if TYPE_CHECKING:
    from ...lab.shape_tasks import Example
    from ...lab.shapes import Shapes


def shapes(
    part: Annotated[
        float,
        typer.Option(min=0.001, max=1.0, help="Part of the training, for a quick look."),
    ] = 1.0,
    seeds: Seeds = 1,
    seed: Seed = 1,
    out: Page = Path("lab-shapes.html"),
    force: Force = False,
    lang: PageLang = Languages.en,
    json: Json = False,
) -> None:
    r"""Show what recurrent networks can be asked: one or many in, one or many out.

    Words that are names, praise or blame, a review written from a label, a word turned round by
    encoder and decoder: five small networks, trained in about a minute, and a page on which they
    are drawn with their states.

    \b
    charlm lab shapes
    charlm lab shapes --seeds 3 --out shapes.html
    """
    from ...lab.shapes import experiment
    from ...lab.shapes_page import page
    from ...system.output_file import writing

    with progress_bar("training") as progress:
        found = experiment(seed=seed, seeds=seeds, part=part, progress=progress)
    if json:
        show.emit_json(found.as_dict())
    else:
        _print(found)
    with writing(out) as file:
        file.write(page(found, lang).encode("utf-8"))
    note(f"page: {out}")


def _print(found: Shapes) -> None:
    from ...lab.shape_tasks import TESTED
    from ...lab.shapes import DOES

    rows = [["shape", "asked", "% right, by seed"]]
    for one in found.shapes:
        rates = ", ".join(f"{100 * trial.right:.1f}" for trial in one.trials)
        rows.append([one.name, DOES[one.name], rates])
    show.table(rows, "<<>")
    show.line(f"({TESTED} new sentences each, right from beginning to end)", "dim")
    for one in found.shapes:
        for example in one.examples:
            show.line()
            show.line(f"{one.name} ({example.title})", "bold")
            for line in _lines(example):
                show.line(line)


def _lines(example: Example) -> Iterator[str]:
    """What was read over what was answered, in columns."""
    columns = [one for one in example.columns if one.read or one.answer]
    wide = [max(len(one.read), len(one.answer)) for one in columns]
    for begin, end in _blocks(wide, show.width() - 8):
        for name, texts in (
            ("reads", [one.read for one in columns]),
            ("answers", [one.answer for one in columns]),
        ):
            cells = zip(texts[begin:end], wide[begin:end], strict=True)
            yield f"{name:<8}" + " ".join(f"{text:<{room}}" for text, room in cells).rstrip()


def _blocks(wide: list[int], room: int) -> Iterator[tuple[int, int]]:
    """Columns that fit beside one another."""
    begin, used = 0, 0
    for k, one in enumerate(wide):
        if used + one > room and k > begin:
            yield begin, k
            begin, used = k, 0
        used += one + 1
    yield begin, len(wide)
