"""`charlm ngram`: train an n-gram model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..config import TokenizerConfig
from ..errors import CharlmError
from ..runs.options import RunOptions
from ..system.settings import settings_of
from . import show
from .derived_options import with_options
from .open_files import only_once
from .options import Context, Force, JsonOutcome
from .talk import note


@with_options(settings_of(RunOptions), settings_of(TokenizerConfig), after="corpus")
def ngram(
    corpus: Annotated[
        list[str],
        typer.Argument(
            metavar="CORPUS", help="Text files, directories or patterns, or - for stdin."
        ),
    ],
    order: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Length of the longest n-grams, up to 16. Default: 10 for characters, of which "
            "those of more than five must have been seen twice (6 where there are thousands of "
            "characters); 5 for words.",
            show_default=False,
        ),
    ] = None,
    context: Annotated[
        Context | None,
        typer.Option(
            help="Whether n-grams span line ends (stream) or not (sentence). "
            "Default: stream for characters, sentence for words.",
            show_default=False,
        ),
    ] = None,
    min_counts: Annotated[
        str | None,
        typer.Option(
            metavar="1,1,2,…",
            help="Minimum count of n-grams to keep, by length; the last applies to all longer.",
            show_default=False,
        ),
    ] = None,
    arpa: Annotated[
        str | None, typer.Option(metavar="FILE", help="Also write the model as an ARPA file.")
    ] = None,
    tables: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Also write the model as hash tables, which charlm.kenlm reads fastest.",
        ),
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(
            metavar="AMOUNT",
            help="Estimate the model on disk, within this much memory (800M, 1.5G, 50%), for "
            "larger texts; the model is the same.",
        ),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="I/N",
            help="Only count part I of N; the same command without --shard then goes on.",
            show_default=False,
        ),
    ] = None,
    force: Force = False,
    json: JsonOutcome = False,
    **given: Any,
) -> None:
    r"""Estimate an n-gram model by modified Kneser-Ney smoothing.

    The model works with every command, and so does an ARPA file from any tool (--model x.arpa).

    \b
    charlm ngram corpus.txt
    charlm ngram corpus.txt --level word --order 3 --out runs/trigram
    charlm ngram corpus.txt --level word --min-counts 1,1,2 --arpa model.arpa
    charlm ngram large.txt --level word --memory 1G
    charlm ngram large.txt --level word --memory 1G --shard 3/8
    """
    only_once(*corpus, given["valid"])
    thresholds = _counts(min_counts)
    how: dict[str, Any] = {
        "order": order,
        "context": context.value if context else None,
        "min_counts": thresholds,
        **given,
    }
    if shard is not None:
        _count_shard(corpus, shard, memory, how)
        return
    from ..runs.ngram_run import count
    from .stage_progress import stages

    if tables is not None:
        from ..system.output_file import check_new
        from ..system.tensor_file import is_ours
        from ..text.find_files import find_files

        place = Path(tables)
        ours = place.is_file() and is_ours(place.open("rb").read(64))
        read = [*corpus, *find_files(corpus), given["valid"], arpa]
        check_new(place, read, force=force or ours)
        if arpa is not None and place.resolve() == Path(arpa).resolve():
            raise CharlmError("--arpa and --tables name the same file: name two")
    with stages("counting") as events:
        done = count(
            corpus,
            arpa_file=arpa,
            memory=memory,
            force=force,
            events=events,
            **how,
        )
    if tables is not None:
        from ..kenlm import build_binary

        build_binary(done.model, tables, force=True)  # it has been checked
    if json:
        result = {"run": str(done.run), "model": str(done.model), "order": done.order}
        numbers = {"sizes": list(done.sizes), "best": done.best.as_dict(), "seconds": done.seconds}
        show.emit_json({**result, **numbers})
        return
    best = done.best
    rows = [(f"{k}-grams", f"{size:,}") for k, size in enumerate(done.sizes, 1)]
    rows += [
        ("bits/char", f"{show.number(best.bits_per_char, 3)} on validation text"),
        ("nats/char", show.number(best.nats_per_char, 3)),
        ("perplexity", f"{show.number(best.perplexity)} per token"),
    ]
    if best.oov:
        without = show.number(best.perplexity_excluding_oov)
        rows.append(("w/o OOV", f"{without}, without {show.count(best.oov, 'unknown token')}"))
    rows += [("seconds", show.number(done.seconds, 1)), ("model", str(done.model))]
    if arpa:
        rows.append(("ARPA", arpa))
    if tables:
        rows.append(("tables", tables))
    show.pairs(rows)


def _count_shard(corpus: list[str], shard: str, memory: str | None, how: dict[str, Any]) -> None:
    from ..runs.ngram_run import count_shard
    from ..text.shards import Shard
    from .stage_progress import stages

    one = Shard.parse(shard)
    if memory is None:
        raise CharlmError("--shard counts on disk: say how much memory to use, --memory 1G")
    with stages("counting") as events:
        done = count_shard(corpus, one, memory=memory, events=events, **how)
    note(f"shard {one}: {done.runs:,} of {done.of:,} parts are counted, in {done.directory}")


def _counts(text: str | None) -> list[int]:
    try:
        return [int(part) for part in text.split(",")] if text is not None else []
    except ValueError:
        raise CharlmError(f"--min-counts takes whole numbers with commas, not {text!r}") from None
