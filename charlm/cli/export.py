"""`charlm export`: a model for other programs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from . import show
from .options import Force, JsonOutcome, ModelArgument
from .talk import note


class To(StrEnum):
    """Formats that a model can be written in."""

    safetensors = "safetensors"
    onnx = "onnx"
    arpa = "arpa"
    html = "html"


def export(
    to: Annotated[To, typer.Option(help="The format.", show_default=False)],
    model: ModelArgument = None,
    out: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Where to write. Default: the run's name, here."),
    ] = None,
    force: Force = False,
    json: JsonOutcome = False,
) -> None:
    r"""Write a model for other programs.

    safetensors: the weights under the names of torch.nn. onnx: a graph for ONNX Runtime, state in
    and state out. Both have the tokenizer beside them, as JSON. arpa: an n-gram model for KenLM,
    SRILM and others. Of a mixture, its network or its n-gram model is written. html: a page that
    has the whole model inside and runs it in the browser, offline.

    \b
    charlm export --to onnx
    charlm export runs/corpus --to safetensors --out corpus.safetensors
    charlm export runs/corpus --to html
    """
    from ..export.exporting import export as write

    done = write(model, to=to.value, out=out, force=force)
    if done.is_part:
        note(f"only a part of the model is written: {done.model}")
    if json:
        show.emit_json(done.as_dict())
        return
    names = ("model", "tokenizer")
    show.pairs([(name, str(file)) for name, file in zip(names, done.files, strict=False)])
