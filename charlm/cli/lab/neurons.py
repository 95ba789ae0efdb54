"""`charlm lab neurons`: what hidden units track in a text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...cli import show
from ...display import colours
from ...errors import CharlmError
from ..open_files import open_text_file, warn_of_unknown
from ..options import Column, Encoding, Errors, Field, Force
from ..surprisal_line import coloured, on
from ..talk import detail, note, progress_bar
from .experiment import refuse_inputs
from .options import Json, Page

if TYPE_CHECKING:
    from ...lab.neurons import Neurons, Tracked, Unit
    from ...text.source import Reading, TextSource

MAX_LINES, MAX_CHARS = 4, 320  # of the text, on a terminal


def neurons(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Run directory or model file.")],
    file: Annotated[str, typer.Argument(metavar="FILE", help='Text; "-" reads stdin.')],
    unit: Annotated[
        str | None,
        typer.Option(
            metavar="LAYER:UNIT[:WHAT]",
            help="Show this unit (what: h, c or a gate i, f, o, r, z) and no other.",
            show_default=False,
        ),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Units to list for each property.")] = 5,
    chars: Annotated[int, typer.Option(min=3, help="Characters of the text to read.")] = 20_000,
    out: Page = Path("lab-neurons.html"),
    force: Force = False,
    json: Json = False,
    encoding: Encoding = "utf-8",
    errors: Errors = "strict",
    field: Field = None,
    column: Column = None,
) -> None:
    r"""Find the hidden units that track quotes, lines and words.

    They are shown in colour, in a text.

    Units are ranked by |r|, the correlation of their values with the property over all tokens;
    "by chance" is how well the best unit tracks the property moved half the text away. On a
    terminal and on the page blue is negative (a gate: closed), red positive (open).

    \b
    charlm lab neurons runs/latest corpus.txt
    charlm lab neurons runs/latest corpus.txt --unit 0:37:c
    """
    from ...lab.neurons import find, subject
    from ...lab.unit_page import page
    from ...system.output_file import writing

    used = subject(model)
    refuse_inputs(out, file, used.name)
    detail(f"model: {used.name}")
    how: Reading = {"encoding": encoding, "errors": errors, "field": field, "column": column}
    with open_text_file(file, used.tokenizer.level, **how) as source:
        text = _beginning(source, chars)
    with progress_bar("reading") as report:
        found = find(used, text, top=top, unit=unit, progress=report)
    warn_of_unknown(found.oov, found.tokens)
    if found.left_out:
        note(f"left out, as it is the same in all of this text: {', '.join(found.left_out)}")
    if json:
        show.emit_json(found.as_dict())
    else:
        _print(found)
    with writing(out) as written:
        written.write(page(found).encode("utf-8"))
    note(f"page: {out}")


def _beginning(source: TextSource, chars: int) -> str:
    """The first `chars` characters of a text."""
    text = ""
    for chunk in source.chunks():
        text += chunk
        if len(text) >= chars:
            break
    if not text.strip():
        raise CharlmError(f"{source.name} holds no text")
    return text[:chars]


def _print(found: Neurons) -> None:
    if found.chosen is not None:
        _print_chosen(found, found.chosen)
        return
    rows = [["property", "layer", "unit", "what", "r", "by chance"]]
    for one in found.tracked:
        for k, (unit, r) in enumerate(one.units):
            first = k == 0
            rows.append(
                [
                    one.name if first else "",
                    str(unit.layer),
                    str(unit.index),
                    unit.what,
                    show.number(r, 3),
                    show.number(one.chance, 3) if first else "",
                ]
            )
    head, *lines = show.columns(rows, "<>><>>")
    show.line(head, "dim")
    for row, line in zip(rows[1:], lines, strict=True):
        show.line(line, "bold" if row[0] else "")
    for one in found.tracked:
        _colours(found, one.units[0][0], one)
    show.line()
    _sum_up(found)


def _print_chosen(found: Neurons, unit: Unit) -> None:
    rows = [["property", f"r of {unit.name}", "best by chance"]]
    for one in found.tracked:
        rows.append([one.name, show.number(one.units[0][1], 3), show.number(one.chance, 3)])
    show.table(rows, "<>>")
    _colours(found, unit, None)
    clear = [one for one in found.tracked if abs(one.units[0][1]) > one.chance]
    named = ", ".join(f"{one.name} (r = {show.number(one.units[0][1])})" for one in clear)
    show.line()
    show.paragraph(
        f"Unit {unit.name} tracks more than chance explains: {named or 'nothing'}.", indent=0
    )


def _sum_up(found: Neurons) -> None:
    """A summary, in a sentence."""
    if not found.tracked:
        show.line("Nothing in this text varies that units could track.")
        return
    named = [
        f"{one.name} by {one.units[0][0].name} ({one.units[0][1] ** 2:.0%})"
        for one in found.tracked
    ]
    show.paragraph(
        f"Of a property's variance one unit, taken as layer:unit:what, explains (r²): "
        f"{', '.join(named)}. Chosen out of {found.candidates:,}.",
        indent=0,
    )


def _colours(found: Neurons, unit: Unit, one: Tracked | None) -> None:
    """Print lines of the text, from where the property first holds, in the unit's colours.

    Prints nothing without a terminal: the table has the numbers.
    """
    if not coloured():
        return
    from rich.text import Text

    show.line()
    show.line(f"{one.name}: {unit.name}" if one else unit.name, "dim")
    text = Text()
    lines, first = 0, 0
    if one and one.marks and any(one.marks):
        before = found.pieces[: one.marks.index(True)]
        first = max((t + 1 for t, piece in enumerate(before) if piece.endswith("\n")), default=0)
    shown = list(zip(found.spaced(), found.scaled(unit), strict=True))[first:]
    for piece, value in shown:
        style = on(colours.signed_colour(value))
        text.append(show.one_line(piece.rstrip("\n")), style=style)
        if piece.endswith("\n"):
            text.append(show.one_line("\n"), style=style)
            text.append("\n")
            lines += 1
        if lines == MAX_LINES or len(text) >= MAX_CHARS:
            break
    text.rstrip()
    show.console().print(text)
