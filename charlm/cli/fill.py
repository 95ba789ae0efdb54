"""`charlm fill`: what stands in the blanks of a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import show
from .common import Json, ModelPath, Quiet, Verbose, lively, note, open_model

if TYPE_CHECKING:
    from ..fill import Filled
    from ..model import Model


def fill(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="A line with _ where something is missing.")
    ],
    top_k: Annotated[int, typer.Option("--top-k", "-k", min=1, help="Ways to show.")] = 5,
    compare: Annotated[
        str | None,
        typer.Option("--compare", metavar="PATH", help="Ask this model too.", show_default=False),
    ] = None,
    left_only: Annotated[
        bool,
        typer.Option("--left-only", help="By what stands before the blanks alone."),
    ] = False,
    json: Json = False,
    model: ModelPath = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    r"""Fill the blanks of a line with what is most probable there.

    Each _ is a character (character models); each run of them is a word, or the missing part of
    one (word models). A model trained with --bidirectional reads from both sides of a blank; one
    that reads left to right judges the completed lines. --compare shows beside them what another
    model says, and, where that reads left to right, what it would have said with only the text
    before the blanks.

    \b
    charlm fill "我的手机坏了，我打算_一部新手机。"
    charlm fill "my phone is ___, so I plan to ___ a new phone" --top-k 3 --json
    charlm fill "The ___ were full." --model runs/both --compare runs/left
    """
    used = open_model(model)
    other = open_model(compare) if compare is not None else None
    for one in (used, other):
        if one is not None:
            _note_unknown(one, text)
    answers: dict[str, Any] = {}
    with lively("searching"):
        answers["found"] = _ask(used, text, top_k, left_only)
        if other is not None:
            answers["compared"] = _ask(other, text, top_k, False)
            if not _both(other):
                answers["left_only"] = _ask(other, text, top_k, True)
    if json:
        records = {name: [one.as_dict() for one in found] for name, found in answers.items()}
        show.emit_json(records if other is not None else records["found"])
        return
    if other is None:
        _print(answers["found"])
        return
    for name, one in (("found", used), ("compared", other), ("left_only", other)):
        if name in answers:
            show.line(f"{one.info['path']}: {_how(one, left_only or name == 'left_only')}", "dim")
            _print(answers[name])


def _note_unknown(model: Model, text: str) -> None:
    from ..fill import parse

    given = parse(model.tokenizer, text)
    unknown = given.unknown(model.tokenizer.unk)
    if unknown:
        note(f"{show.count(unknown, 'token')} beside the blanks unknown to {model.info['path']}")


def _ask(model: Model, text: str, top_k: int, left_only: bool) -> list[Filled]:
    from ..fill import fill as find

    return find(model.any_lm, model.tokenizer, text, top_k=top_k, left_only=left_only)


def _both(model: Model) -> bool:
    from ..bidirectional import BidirectionalLM

    return isinstance(model.any_lm, BidirectionalLM)


def _how(model: Model, left_only: bool) -> str:
    if _both(model):
        return "from both sides"
    return "by what stands before the blanks" if left_only else "by the completed lines"


def _print(found: Sequence[Filled]) -> None:
    """A row for each way to fill the blanks: how probable, the tokens, the text."""
    rows = [["P", "log P", "", ""]]
    for one in found:
        tokens = " ".join(show.visible(token).replace(" ", "␣") for token in one.tokens)
        p = f"{one.probability:.2%}"
        rows.append([p, show.number(one.logprob), tokens, ""])
    head, *lines = show.columns([row[:3] for row in rows], ">><")
    show.line(head, "dim")
    for k, (line, one) in enumerate(zip(lines, found, strict=True)):
        wide = max(map(show.cells, lines)) - show.cells(line)
        lead = line + " " * wide
        shown = f"{lead}  {show.visible(one.text)}"
        show.paragraph(shown, indent=show.cells(lead) + 2, first=0, style="" if k else "bold")
