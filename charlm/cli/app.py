"""The command-line application: all verbs, and `main`."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from ..errors import CharlmError
from ..system import machine
from ..system.version import __version__
from . import (
    card,
    classify,
    compare,
    complete,
    compress,
    export,
    fill,
    info,
    lab,
    mix,
    ngram,
    pairs,
    regions,
    report,
    rescore,
    sample,
    score,
    serve,
    train,
    watch,
)
from . import eval as eval_verb
from .exit_codes import ending, flush_stdout
from .options import Quiet, Verbose
from .show import line
from .talk import print_error, talk
from .verb import help_text, register

MAX_START_SECONDS = 10.0  # from the start of the process to here, at most

HELP = r"""Train recurrent language models on your own text; score and generate sentences with them.

\b
charlm train corpus.txt --minutes 2
charlm score "the apple and pair salad" "the apple and pear salad"
charlm sample --prompt "The cat"
"""

app = typer.Typer(
    name="charlm",
    help=help_text(HELP),
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        line(f"charlm {__version__}")
        raise typer.Exit()


@app.callback()
def charlm(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Options that may precede a verb."""


register(app, train.train, "train")
register(app, score.score, "score")
register(app, sample.sample, "sample")
register(app, complete.complete, "complete")
register(app, complete.next_token, "next")
register(app, watch.watch, "watch")
register(app, fill.fill, "fill")
register(app, eval_verb.evaluate, "eval")
register(app, pairs.pairs, "pairs")
register(app, regions.regions, "regions")
register(app, rescore.rescore, "rescore")
register(app, compare.compare, "compare")
register(app, classify.classify, "classify")
register(app, ngram.ngram, "ngram")
register(app, mix.mix, "mix")
register(app, info.info, "info")
register(app, report.report, "report")
register(app, export.export, "export")
register(app, card.card, "card")
register(app, compress.compress, "compress")
register(app, compress.decompress, "decompress")
register(app, serve.serve, "serve")
app.add_typer(lab.app)


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line `args` (default: this process's) and return its exit code."""
    if "_CHARLM_COMPLETE" in os.environ:  # shell completion
        app(prog_name="charlm")
    arguments = list(sys.argv[1:] if args is None else args)
    talk.quiet = talk.verbose = False
    if args is None and not sys.warnoptions:
        warnings.simplefilter("ignore")  # of libraries, which say nothing to a user
    age = machine.process_seconds() if args is None else 0.0
    # a shell that has become this process brings its own age with it
    talk.began = time.monotonic() - (age if age < MAX_START_SECONDS else 0.0)
    if sys.stdout is None:  # closed by the caller (>&-)
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # an ASCII terminal gets "?" rather than a crash
            stream.reconfigure(errors="replace")
    try:
        _check_directory()
        code = _run(arguments or ["--help"])
        sys.stdout.flush()
    except BaseException as error:
        end = ending(error)
        if end is None:
            raise
        code, message = end
        flush_stdout()
        if message:
            print_error(message)
    return code


def _check_directory() -> None:
    try:
        Path.cwd()
    except FileNotFoundError:
        raise CharlmError("the current directory no longer exists: change to another") from None


def _run(arguments: list[str]) -> int:
    """Parse and run; unlike `app()`, let exceptions propagate."""
    command = typer.main.get_command(app)
    try:
        with command.make_context("charlm", arguments) as context:
            command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    return 0
