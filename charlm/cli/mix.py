"""`charlm mix`: combine models by linear or log-linear interpolation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from . import show
from .options import Column, Encoding, Errors, Field, JsonOutcome

if TYPE_CHECKING:
    from ..runs.mixture_run import MixtureRun
    from ..text.source import Reading


def mix(
    models: Annotated[
        list[str],
        typer.Argument(metavar="MODEL…", help="Run directories, model files or ARPA files."),
    ],
    dev: Annotated[str, typer.Option(metavar="FILE", help="Held-out text to fit the weights to.")],
    out: Annotated[
        str | None,
        typer.Option(help="Run directory; by default a new one under runs/."),
    ] = None,
    cache: Annotated[
        bool, typer.Option("--cache", help="Also make recent words more probable.")
    ] = False,
    log_linear: Annotated[
        bool,
        typer.Option("--log-linear", help="Multiply the probabilities instead of adding them."),
    ] = False,
    limit_vocab: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Keep only the words in this file; all others become <UNK>."
        ),
    ] = None,
    encoding: Encoding = "utf-8",
    errors: Errors = "strict",
    field: Field = None,
    column: Column = None,
    json: JsonOutcome = False,
) -> None:
    r"""Mix models into a better one.

    Linear interpolation: the weights are fitted by EM to held-out text. If one is an n-gram model,
    they depend on how many of the last tokens it knows. Log-linear interpolation is often better
    for characters, and slow for large vocabularies. Word models of different vocabularies get the
    words of all, or those of --limit-vocab: each spells the words that it does not know, and all
    others are <UNK>, with the sum of their probabilities.

    \b
    charlm mix runs/lstm runs/fivegram --dev valid.txt --out runs/mixed
    charlm eval test.txt --model runs/mixed
    """
    from ..runs.mixture_run import mix_models
    from .stage_progress import stages

    how: Reading = {"encoding": encoding, "errors": errors, "field": field, "column": column}
    with stages("mixing") as events:
        done = mix_models(
            models,
            dev,
            out=out,
            cache=cache,
            log_linear=log_linear,
            limit_vocab=limit_vocab,
            events=events,
            **how,
        )
    if json:
        show.emit_json(_record(done))
        return
    _print(done)


def _record(done: MixtureRun) -> dict[str, object]:
    import numpy as np

    from ..models.log_linear import LogLinearLM

    parts = zip(done.names, done.nats_per_token, strict=True)
    return {
        "run": str(done.run),
        "model": str(done.model),
        "parts": [{"model": name, "nats_per_token": nats} for name, nats in parts],
        "kind": "log-linear" if isinstance(done.lm, LogLinearLM) else "linear",
        "weights": np.atleast_2d(done.lm.weights).tolist(),
        "cache": done.cache,
        "best": done.best.as_dict(),
        "seconds": done.seconds,
    }


def _print(done: MixtureRun) -> None:
    import numpy as np

    from ..measures import perplexity

    headings = ["on the held-out text", "nats/token", "perplexity"]
    weights_CK = np.atleast_2d(done.lm.weights)
    several = len(weights_CK) > 1
    heads = [f"λ{k}" if several else "λ" for k in range(len(weights_CK))]
    rows = [[*headings, *heads]]
    for k, (name, nats) in enumerate(zip(done.names, done.nats_per_token, strict=True)):
        weights = [show.number(weight) for weight in weights_CK[:, k]]
        rows.append([name, show.number(nats, 4), show.number(perplexity(-nats, 1)), *weights])
    best = done.best
    empty = [""] * len(heads)
    rows.append(
        ["mixture", show.number(best.nats_per_token, 4), show.number(best.perplexity), *empty]
    )
    show.table(rows, "<" + ">" * (len(rows[0]) - 1))
    if several:
        show.line("λ0, λ1, …: the weight where the n-gram model knows 0, 1, … of the last tokens")
    if done.cache:
        show.line(f"with a cache of recent tokens, whose weight is up to {done.cache:.3f}")
    show.line()
    show.pairs([("bits/char", show.number(best.bits_per_char, 3)), ("model", str(done.model))])
