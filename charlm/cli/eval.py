"""`charlm eval`: measure a model on a whole file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import CharlmError
from . import show
from .open_files import open_model, open_text_file, warn_of_unknown
from .options import Adaptation, Column, Context, Device, Encoding, Errors, Field, Json, ModelPath
from .talk import progress_bar

if TYPE_CHECKING:
    from ..measures import Measures
    from ..model.model import Model
    from ..text.source import Reading


def evaluate(
    file: Annotated[str, typer.Argument(metavar="FILE", help='A text file; "-" reads stdin.')],
    context: Annotated[
        Context,
        typer.Option(help="Read the text as one stream, or each line on its own (sentence)."),
    ] = Context.stream,
    window: Annotated[
        int | None,
        typer.Option(
            min=1, help="Reset the model after this many tokens of the stream.", show_default=False
        ),
    ] = None,
    json: Json = False,
    encoding: Encoding = "utf-8",
    errors: Errors = "strict",
    field: Field = None,
    column: Column = None,
    model: ModelPath = None,
    device: Device = None,
    adapt: Adaptation = None,
) -> None:
    r"""Measure a model on a whole text.

    Perplexity is per token, with OOV (tokens that the model does not know) and, if there are any,
    without. Per character counts every character of the text, newlines included.

    \b
    charlm eval test.txt
    charlm eval test.txt --context sentence --json
    charlm eval big.txt.gz
    charlm eval test.jsonl --field text
    charlm eval test.txt --adapt dynamic
    """
    from ..tasks.evaluate import evaluate as measure

    if adapt and window:
        raise CharlmError("--adapt keeps learning where --window resets the model: choose one")
    read_once = Path(file).exists() and not (Path(file).is_file() or Path(file).is_dir())
    if adapt and (file == "-" or read_once):
        raise CharlmError("--adapt reads the text twice: name a file that is on disk")
    used = open_model(model, device)
    how: Reading = {"encoding": encoding, "errors": errors, "field": field, "column": column}
    static = _measured(measure, used, file, how, context, window)
    warn_of_unknown(static.oov, static.tokens)
    learning = None
    if adapt:
        learning = _measured(measure, used.adapted(adapt.value), file, how, context, window)
    if json:
        record = static.as_dict()
        if learning is not None:
            record["adapted"] = learning.as_dict()
        show.emit_json(record)
        return
    rows = _rows(static)
    if learning is not None:
        wide = max(len(value) for _, value in rows[3:])
        for k, (_, value) in enumerate(_rows(learning)[3:], 3):
            rows[k] = (rows[k][0], f"{rows[k][1]:<{wide}}   {value}")
        rows.insert(3, ("", f"{'static':<{wide}}   adapted"))
    show.pairs(rows)


def _measured(
    measure: Callable[..., Measures],
    used: Model,
    file: str,
    how: Reading,
    context: Context,
    window: int | None,
) -> Measures:
    from ..lm import sequential

    with (
        open_text_file(file, used.tokenizer.level, **how) as source,
        progress_bar(source.name) as report,
    ):
        size = max(1, source.size)
        return measure(
            sequential(used.lm),
            used.tokenizer,
            source.chunks(),
            context=context.value,
            window=window,
            progress=lambda so_far: report(min(1.0, so_far.bytes / size)),
        )


def _rows(result: Measures) -> list[tuple[str, str]]:
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
    if result.oov:
        spelled = show.number(result.bits_per_char_spelled, 4)
        rows.append(("spelled", f"{spelled} bits/char, with the spelling of unknown tokens"))
    return rows
