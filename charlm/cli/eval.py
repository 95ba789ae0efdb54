"""`charlm eval`: the numbers of `score` over a whole file."""

from __future__ import annotations

from typing import Annotated

import typer

from . import show
from .common import (
    Context,
    Device,
    Encoding,
    Errors,
    Json,
    ModelPath,
    Quiet,
    Verbose,
    lively,
    open_file,
    open_model,
)


def evaluate(
    file: Annotated[str, typer.Argument(metavar="FILE", help='A text file; "-" reads stdin.')],
    context: Annotated[
        Context, typer.Option(help="Read the text as one stream, or each line on its own.")
    ] = Context.stream,
    window: Annotated[
        int | None,
        typer.Option(
            min=1, help="Begin afresh every so many tokens of the stream.", show_default=False
        ),
    ] = None,
    json: Json = False,
    encoding: Encoding = "utf-8",
    errors: Errors = "strict",
    model: ModelPath = None,
    device: Device = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    r"""Measure a model on a whole text.

    Perplexity is per token, with OOV (tokens that the model does not know) and, if there are any,
    without. Per character counts every character of the text, newlines included.

    \b
    charlm eval test.txt
    charlm eval test.txt --context sentence --json
    zcat big.txt.gz | charlm eval -
    """
    from ..evaluate import evaluate as measure
    from ..measures import Measures

    used = open_model(model, device)
    with open_file(file, used, encoding, errors) as source, lively(source.name) as report:
        size = max(1, source.size)

        def progress(so_far: Measures) -> None:
            report(min(1.0, so_far.bytes / size))

        result = measure(
            used.lm,
            used.tokenizer,
            source.chunks(),
            context=context.value,
            window=window,
            progress=progress,
        )
    if json:
        show.emit_json(result.as_dict())
        return
    oov = f"{result.oov:,} ({result.oov / result.tokens:.2%})"
    rows = [
        ("text", f"{result.chars:,} characters · {show.size(result.bytes)}"),
        ("tokens", f"{result.tokens:,}"),
        ("OOV", oov),
        ("log P", f"{show.number(result.logprob)} nats"),
        ("perplexity", f"{show.number(result.perplexity)} per token"),
    ]
    if result.oov:
        rows.append(("w/o OOV", f"{show.number(result.perplexity_excluding_oov)} per token"))
    rows += [
        ("nats/char", show.number(result.nats_per_char, 4)),
        ("bits/char", show.number(result.bits_per_char, 4)),
        ("bits/byte", show.number(result.bits_per_byte, 4)),
    ]
    show.pairs(rows)
