"""`charlm card`: a model card for the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import show
from .open_files import open_model
from .options import Force, ModelArgument
from .talk import note


def card(
    model: ModelArgument = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The model's name. Default: the run's.")
    ] = None,
    language: Annotated[
        str | None, typer.Option(metavar="en,…", help="Languages of the text, by their codes.")
    ] = None,
    license: Annotated[
        str | None, typer.Option(metavar="ID", help="Its license, as the Hub spells it: mit.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the card to this file: README.md."),
    ] = None,
    force: Force = False,
) -> None:
    r"""Print a model card: what a model is, what it learned from and how good it is.

    Markdown with the front matter that the Hugging Face Hub reads, filled in from the model.

    \b
    charlm card --language en --license mit --out README.md
    charlm card runs/corpus > README.md
    """
    from ..export.card import is_ours
    from ..system import output_file

    if out is not None:
        output_file.check(out, is_ours, force=force)
    used = open_model(model)
    if out is not None:
        output_file.check_apart(out, [used.info["path"]])
    text = used.card(name, language=language, license=license)
    if out is None:
        show.line(text.rstrip())
        return
    with output_file.writing(out) as target:
        target.write(text.encode())
    note(f"card: {out}")
