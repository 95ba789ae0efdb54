"""`charlm ngram`: from a text file to an n-gram model."""

from __future__ import annotations

from typing import Annotated

import typer

from ..errors import CharlmError
from . import show
from .common import Context, Encoding, Errors, Quiet, Verbose, only_once

TEXT = "Text"


def ngram(
    corpus: Annotated[
        list[str], typer.Argument(metavar="CORPUS", help="Text files, or - for stdin.")
    ],
    order: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Longest n-gram, up to 16. Without it: 6 for characters, 5 for words.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(help="Directory of the run; without it a fresh one under runs/."),
    ] = None,
    valid: Annotated[
        str | None, typer.Option(help="Validation text; without it the corpus's last tenth.")
    ] = None,
    context: Annotated[
        Context | None,
        typer.Option(
            help="Whether n-grams reach across line ends (stream) or not (sentence). "
            "Without it: stream for characters, sentence for words.",
            show_default=False,
        ),
    ] = None,
    min_counts: Annotated[
        str | None,
        typer.Option(
            metavar="1,1,2,…",
            help="By length, how often an n-gram must be seen to be kept; the last for all longer.",
            show_default=False,
        ),
    ] = None,
    arpa: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the model as an ARPA file too.")
    ] = None,
    level: Annotated[
        str | None,
        typer.Option(help="Token: char, word, byte or subword.", rich_help_panel=TEXT),
    ] = None,
    vocab_size: Annotated[
        int | None, typer.Option(help="Most kinds of token to keep.", min=0, rich_help_panel=TEXT)
    ] = None,
    min_count: Annotated[
        int | None,
        typer.Option(help="Kinds seen less often become <UNK>.", min=1, rich_help_panel=TEXT),
    ] = None,
    lower: Annotated[
        bool | None,
        typer.Option("--lower/--no-lower", help="Fold words to lower case.", rich_help_panel=TEXT),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="Words end at: whitespace, or unicode (punctuation too).", rich_help_panel=TEXT
        ),
    ] = None,
    algorithm: Annotated[
        str | None, typer.Option(help="Subwords by: unigram or bpe.", rich_help_panel=TEXT)
    ] = None,
    encoding: Encoding = "utf-8",
    errors: Errors = "strict",
    json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    r"""Estimate an n-gram model: modified Kneser-Ney smoothing, interpolated.

    The model works in every command, and so does an ARPA file of any tool (--model x.arpa).

    \b
    charlm ngram corpus.txt
    charlm ngram corpus.txt --level word --order 3 --out runs/trigram
    charlm ngram corpus.txt --level word --min-counts 1,1,2 --arpa model.arpa
    """
    given = {
        "level": level,
        "vocab_size": vocab_size,
        "min_count": min_count,
        "lower": lower,
        "split": split,
        "algorithm": algorithm,
    }
    only_once(*corpus, valid)
    settings = {name: value for name, value in given.items() if value is not None}
    least = _counts(min_counts)
    from ..runs.ngram_run import count
    from .stages import stages

    with stages("counting") as events:
        done = count(
            corpus,
            order=order,
            out=out,
            valid=valid,
            context=context.value if context else None,
            min_counts=least,
            arpa_file=arpa,
            encoding=encoding,
            errors=errors,
            events=events,
            **settings,
        )
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
        rows.append(("w/o OOV", f"{without}, without the {best.oov:,} unknown ones"))
    rows += [("seconds", show.number(done.seconds, 1)), ("model", str(done.model))]
    if arpa:
        rows.append(("ARPA", arpa))
    show.pairs(rows)


def _counts(text: str | None) -> list[int]:
    try:
        return [int(part) for part in text.split(",")] if text is not None else []
    except ValueError:
        raise CharlmError(f"--min-counts takes whole numbers with commas, not {text!r}") from None
