"""`charlm fill`: fill in the blanks of a line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from . import show
from .open_files import open_model
from .options import Json, ModelPath
from .talk import note, progress_bar

if TYPE_CHECKING:
    from ..model.model import Model
    from ..tasks.fill import Filled


def fill(
    text: Annotated[
        str,
        typer.Argument(metavar="TEXT", help='A line with _ for what is missing; "-" reads one.'),
    ],
    top_k: Annotated[
        int, typer.Option("--top-k", "-k", min=1, help="Number of answers to show.")
    ] = 5,
    compare: Annotated[
        str | None,
        typer.Option("--compare", metavar="PATH", help="Another model to ask.", show_default=False),
    ] = None,
    left_only: Annotated[
        bool,
        typer.Option("--left-only", help="Use only the text before the blanks."),
    ] = False,
    json: Json = False,
    model: ModelPath = None,
) -> None:
    r"""Fill in the blanks of a line with the most probable text.

    Each _ is a character (character models); each run of them is a word, or the missing part of
    one (word models). A model trained with --bidirectional uses the text on both sides of a blank;
    a left-to-right model ranks the completed lines. --compare also shows the answers of another
    model and, if that is left to right, its answers from only the text before the blanks.

    \b
    charlm fill "我的手机坏了，我打算_一部新手机。"
    charlm fill "my phone is ___, so I plan to ___ a new phone" --top-k 3 --json
    charlm fill "The ___ were full." --model runs/both --compare runs/left
    """
    if text == "-":
        text = sys.stdin.readline().rstrip("\n")
    used = open_model(model)
    other = open_model(compare) if compare is not None else None
    for one in (used, other):
        if one is not None:
            _note_unknown(one, text)
    asked = [("found", used, left_only and not (other and used.lm.pseudo))]
    if other is not None:
        asked.append(("compared", other, left_only))
        if not (left_only or other.lm.pseudo):
            asked.append(("left_only", other, True))
    with progress_bar("searching"):
        answers = [one.fill(text, top_k=top_k, left_only=alone) for _, one, alone in asked]
    if json:
        records = {
            name: [one.as_dict() for one in found]
            for (name, _, _), found in zip(asked, answers, strict=True)
        }
        show.emit_json(records if other is not None else records["found"])
        return
    for (_, answering, alone), found in zip(asked, answers, strict=True):
        if other is not None:
            show.line(f"{answering.info['path']}: {_how(answering, alone)}", "dim")
        _print(found)


def _note_unknown(model: Model, text: str) -> None:
    from ..tasks.fill import parse

    given = parse(model.tokenizer, text)
    unknown = given.unknown(model.tokenizer.unk)
    if unknown:
        note(f"{show.count(unknown, 'token')} outside the blanks unknown to {model.info['path']}")


def _how(model: Model, left_only: bool) -> str:
    if model.lm.pseudo:
        return "from both sides"
    return "from the text before the blanks" if left_only else "by the completed lines"


def _print(found: Sequence[Filled]) -> None:
    """A row for each way to fill the blanks: how probable, the tokens, the text."""
    rows = [["P", "pseudo-log P" if found[0].pseudo else "log P", "", ""]]
    for one in found:
        tokens = " ".join(show.one_line(token).replace(" ", "␣") for token in one.tokens)
        p = f"{one.probability:.2%}"
        rows.append([p, show.number(one.logprob), tokens, ""])
    head, *lines = show.columns([row[:3] for row in rows], ">><")
    show.line(head, "dim")
    wide = max(map(show.cells, lines))
    for k, (line, one) in enumerate(zip(lines, found, strict=True)):
        lead = line + " " * (wide - show.cells(line))
        shown = f"{lead}  {show.one_line(one.text)}"
        show.paragraph(shown, indent=show.cells(lead) + 2, first=0, style="" if k else "bold")
