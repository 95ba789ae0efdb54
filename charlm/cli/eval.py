"""`charlm eval`: measure a model on a whole file."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import CharlmError, require
from . import shards, show
from .open_files import open_model, open_text_file, warn_of_unknown
from .options import Adaptation, Column, Context, Device, Encoding, Errors, Field, Json, ModelPath
from .shards import Jobs, ShardOption, ShardsOut
from .talk import progress_bar

if TYPE_CHECKING:
    from ..measures import Measures
    from ..model.model import Model
    from ..text.source import Reading, TextSource


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
    jobs: Jobs = 1,
    shard: ShardOption = None,
    out: ShardsOut = None,
) -> None:
    r"""Measure a model on a whole text.

    Perplexity is per token, with OOV (tokens that the model does not know) and, if there are any,
    without. Per character counts every character of the text, newlines included.

    With --shard, jobs on many machines divide a text, at line ends. Read as a stream, the first
    tokens of every part lack the context that they have in the whole text.

    \b
    charlm eval test.txt
    charlm eval test.txt --context sentence --json
    charlm eval big.txt.gz
    charlm eval test.jsonl --field text
    charlm eval test.txt --adapt dynamic
    charlm eval large.txt --shard 3/8 --out parts
    charlm eval large.txt --shard all/8 --out parts
    """
    if adapt and window:
        raise CharlmError("--adapt keeps learning where --window resets the model: choose one")
    read_once = Path(file).exists() and not (Path(file).is_file() or Path(file).is_dir())
    if adapt and (file == "-" or read_once):
        raise CharlmError("--adapt reads the text twice: name a file that is on disk")
    if jobs > 1 and adapt:
        raise CharlmError("--adapt learns from one line after another: leave out --jobs")
    others = {"--adapt": bool(adapt), "stdin": read_once or file == "-"}
    in_shards = shards.check(shard, out, others)
    used = open_model(model, device)
    reading: Reading = {"encoding": encoding, "errors": errors, "field": field, "column": column}
    how = _How(reading, context.value, window, jobs)
    static: Measures | None
    if in_shards:
        static = _in_shards(used, file, how, shard or "", out or "", model)
        if static is None:
            return
    else:
        static = _measured(used, file, how)
    warn_of_unknown(static.oov, static.tokens)
    learning = None
    if adapt:
        learning = _measured(used.adapted(adapt.value), file, how)
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


@dataclass(frozen=True)
class _How:
    """How a text is measured."""

    reading: Reading
    context: str
    window: int | None
    jobs: int


def _measured(used: Model, file: str, how: _How) -> Measures:
    with open_text_file(file, used.tokenizer.level, **how.reading) as source:
        return _measure(used, source, how)


def _measure(used: Model, source: TextSource, how: _How, part: str = "") -> Measures:
    with progress_bar(f"{source.name}{part}") as report:
        size = max(1, source.size)
        return used.evaluate(
            source.chunks(),
            context=how.context,
            window=how.window,
            jobs=how.jobs,
            progress=lambda so_far: report(min(1.0, so_far.bytes / size)),
        )


def _in_shards(
    used: Model, file: str, how: _How, shard: str, out: str, model: str | None
) -> Measures | None:
    """Measure the shards that are wanted; the sum, if all are."""
    from ..measures import Measures
    from ..tasks.evaluate import NO_TEXT
    from ..tasks.shard_files import likeness
    from ..text.shards import Shard, shared

    with open_text_file(file, used.tokenizer.level, **how.reading) as source:

        def measured(one: Shard) -> Iterator[str]:
            with shared(source, one) as (part, _):
                nothing = Measures(0.0, 0, 0, 0)
                text = f", shard {one}"
                found = nothing if part.is_empty else _measure(used, part, how, text)
            yield show.json_text({"shard": str(one), **found.as_dict(), "sums": asdict(found)})

        options = [*how.reading.values(), how.context, how.window]
        about = shards.identity("eval", model, likeness(source.paths), options)
        files = shards.finished(shard, out, ".json", about, measured)
    if files is None:
        return None
    total = Measures(0.0, 0, 0, 0)
    for path in files:
        sums = json.loads(path.read_bytes())["sums"]
        numbers: Any = {k: math.nan if v is None else v for k, v in sums.items()}
        total += Measures(**numbers)
    require(total.chars > 0, NO_TEXT)
    return total


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
