"""Options that several verbs take."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from ..config import settings_of
from ..runs.options import RunOptions
from .derive import option
from .talk import talk


class Context(StrEnum):
    """What a sentence is taken to follow."""

    sentence = "sentence"
    stream = "stream"


class Adapt(StrEnum):
    """How a recurrent model goes on learning from what it reads."""

    dynamic = "dynamic"
    cache = "cache"


def _set_quiet(value: bool) -> bool:
    talk.quiet = talk.quiet or value
    return value


def _set_verbose(value: bool) -> bool:
    talk.verbose = talk.verbose or value
    return value


Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", callback=_set_quiet, help="Say nothing but results.")
]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", callback=_set_verbose, help="Say more on stderr.")
]
ModelPath = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="PATH",
        help="Run directory or model file. Without it: $CHARLM_MODEL, then runs/latest.",
        show_default=False,
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="WHERE",
        help="Score in bulk with torch: auto, cpu or cuda. Without it: NumPy, which starts sooner.",
        show_default=False,
    ),
]
Adaptation = Annotated[
    Adapt | None,
    typer.Option(
        "--adapt",
        help="Learn from the text just scored: take gradient steps (dynamic), or remember its "
        "words (cache). Static numbers stand beside.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, log-probabilities in nats.")]
JsonOutcome = Annotated[
    bool, typer.Option("--json", help="Print the outcome as JSON, the last line of stdout.")
]
Encoding = Annotated[str, option(settings_of(RunOptions)["encoding"], RunOptions.encoding)]
Errors = Annotated[str, option(settings_of(RunOptions)["errors"], RunOptions.errors)]
