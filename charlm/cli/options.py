"""Options shared by several verbs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from ..runs.options import RunOptions
from ..system.settings import settings_of
from .derived_options import option
from .talk import talk


class Context(StrEnum):
    """The context that sentences are scored in."""

    sentence = "sentence"
    stream = "stream"


class Oov(StrEnum):
    """How unknown words count where sentences or models are compared."""

    closed = "closed"
    spelled = "spelled"
    exclude = "exclude"


class Adapt(StrEnum):
    """How a recurrent model adapts to what it reads."""

    dynamic = "dynamic"
    cache = "cache"


def _set_quiet(value: bool) -> bool:
    talk.quiet = talk.quiet or value
    return value


def _set_verbose(value: bool) -> bool:
    talk.verbose = talk.verbose or value
    return value


Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", callback=_set_quiet, help="Print nothing but results.")
]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", callback=_set_verbose, help="Print more on stderr.")
]
ModelArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="MODEL",
        help="Run directory or model file. Default: $CHARLM_MODEL, then runs/latest.",
        show_default=False,
    ),
]
ModelPath = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="PATH",
        help="Run directory or model file. Default: $CHARLM_MODEL, then runs/latest.",
        show_default=False,
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="WHERE",
        help="Score in bulk with torch: auto, cpu or cuda. Default: NumPy, which starts faster.",
        show_default=False,
    ),
]
Adaptation = Annotated[
    Adapt | None,
    typer.Option(
        "--adapt",
        help="Adapt to the text scored so far: by gradient steps (dynamic) or by remembering its "
        "words (cache). Static numbers are shown too.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, with log-probabilities in nats.")]
OovTreatment = Annotated[
    Oov | None,
    typer.Option(
        "--oov",
        help="Unknown words count as <UNK> (closed), as <UNK> and their spelling (spelled), or not "
        "at all (exclude). Default: spelled where their numbers differ.",
        show_default=False,
    ),
]
Force = Annotated[
    bool,
    typer.Option("--force", help="Replace a file even if charlm did not write it.", is_eager=True),
]
JsonOutcome = Annotated[
    bool, typer.Option("--json", help="Print the outcome as JSON, on the last line of stdout.")
]
Encoding = Annotated[str, option(settings_of(RunOptions)["encoding"], RunOptions.encoding)]
Errors = Annotated[str, option(settings_of(RunOptions)["errors"], RunOptions.errors)]
Field = Annotated[str | None, option(settings_of(RunOptions)["field"])]
Column = Annotated[str | None, option(settings_of(RunOptions)["column"])]
