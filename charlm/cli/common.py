"""What the verbs share: options, talk on stderr, finding model and text, and how errors end."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import CharlmError
from .show import console, count, is_terminal, valid_unicode

if TYPE_CHECKING:
    from ..model import Model
    from ..text.source import TextSource

MAX_OOV_SHARE = 0.2  # share of a text's tokens
BAR_AFTER_SECONDS = 2.0  # seconds of silence before a command shows that it lives


# Talk: everything that is not a result --------------------------------------------------------


@dataclass
class Talk:
    """How much is said on stderr beside the results."""

    quiet: bool = False
    verbose: bool = False


talk = Talk()


def warn(text: str) -> None:
    """Something the user should know though the command goes on; silenced by -q."""
    if not talk.quiet:
        _say(f"warning: {text}")


def note(text: str) -> None:
    """A remark beside the results; silenced by -q."""
    if not talk.quiet:
        _say(text)


def warn_of_unknown(oov: int, tokens: int) -> None:
    """Say so where much of a text is unknown to the model: perplexity is then flattering."""
    if tokens and oov / tokens > MAX_OOV_SHARE:
        warn(
            f"the model does not know {oov / tokens:.0%} of the tokens; all of them count as <UNK>"
        )


def aside(text: str) -> None:
    """A result beside those on stdout, which holds data for programs; -q does not silence it."""
    _say(text)


def detail(text: str) -> None:
    """A remark for those who ask with -v."""
    if talk.verbose:
        _say(text)


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[float], None]]:
    """Show on a terminal's stderr that long work lives: after two seconds, a bar.

    Gives a function that may be told the fraction done, 0 to 1; without it the bar only pulses.
    """
    done: list[float | None] = [None]
    finished = threading.Event()

    def report(fraction: float) -> None:
        done[0] = fraction

    def watch() -> None:
        if finished.wait(BAR_AFTER_SECONDS):
            return
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
        from rich.progress import TimeRemainingColumn as TimeLeft

        parts = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeLeft())
        with Progress(*parts, console=console(stderr=True), transient=True) as bar:
            task = bar.add_task(what, total=None)
            while not finished.wait(0.1):
                if done[0] is not None:
                    bar.update(task, total=1.0, completed=done[0])

    if talk.quiet or not is_terminal(sys.stderr):
        yield report
        return
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield report
    finally:
        finished.set()
        watcher.join()


def _say(text: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(valid_unicode(text) + "\n")
        sys.stderr.flush()


# Options that several verbs take --------------------------------------------------------------


class Context(StrEnum):
    """What a sentence is taken to follow."""

    sentence = "sentence"
    stream = "stream"


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


class Adapt(StrEnum):
    """How a recurrent model goes on learning from what it reads."""

    dynamic = "dynamic"
    cache = "cache"


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
Encoding = Annotated[
    str, typer.Option("--encoding", metavar="NAME", help="How the text's bytes are to be read.")
]
Errors = Annotated[
    str,
    typer.Option(
        "--errors", metavar="HOW", help="Bytes not so encoded: strict (an error), replace, ignore."
    ),
]


# Finding things -------------------------------------------------------------------------------


def open_model(model: str | None, device: str | None = None) -> Model:
    """The model that --model, $CHARLM_MODEL or runs/latest names, on --device where one is."""
    from ..model import Model
    from ..models.model_file import resolve

    path = resolve(model)
    detail(f"model: {path}")
    return Model.load(path, device=device)


@contextmanager
def open_text_file(path: str, encoding: str, errors: str, level: str) -> Iterator[TextSource]:
    """The text of a file, or of stdin for "-", as a tokenizer of `level` reads it."""
    from ..text.source import open_text, temporary_spool

    with temporary_spool() as spool:
        yield open_text([path], encoding, errors, spool).for_level(level)


@contextmanager
def open_file(path: str, model: Model, encoding: str, errors: str) -> Iterator[TextSource]:
    """`open_text_file`, for a model's tokenizer."""
    with open_text_file(path, encoding, errors, model.tokenizer.level) as source:
        yield source


@contextmanager
def open_lines(
    path: str, encoding: str, errors: str, level: str = "char"
) -> Iterator[tuple[str, Iterator[str]]]:
    """The name of a file (or stdin, for "-") for messages, and its lines."""
    from ..text.source import open_lines

    with open_lines(path, encoding, errors, level) as found:
        yield found


def only_once(*files: str | None) -> None:
    """Raise CharlmError if standard input is to be read twice."""
    if files.count("-") > 1:
        raise CharlmError("standard input can be read only once: give - only once")


def drop_empty(lines: Iterable[str], name: str, what: str) -> list[str]:
    """The lines that are not empty, with a remark on the others.

    Raises CharlmError where there are only empty ones: nothing to `what`.
    """
    given = list(lines)
    kept = [line for line in given if line.strip()]
    if not kept:
        raise CharlmError(f"{name} holds only empty lines: there is nothing to {what}")
    if len(kept) < len(given):
        note(f"{count(len(given) - len(kept), 'empty line')} skipped")
    return kept


def note_unknown(model: Model, texts: Iterable[str], name: str = "") -> None:
    """A remark where texts hold tokens that the model does not know."""
    unk = model.tokenizer.unk
    if unk is None or talk.quiet:
        return
    ids = [model.tokenizer.encode(text) for text in texts]
    unknown, tokens = sum(int((own == unk).sum()) for own in ids), sum(map(len, ids))
    if unknown:
        note(
            f"{unknown:,} of {tokens:,} tokens are unknown{name and f' to {name}'} and all count "
            "as <UNK>: sentences with more of them look too probable"
        )


# How a command ends ---------------------------------------------------------------------------

USER_ERROR, INTERRUPTED, BROKEN_PIPE = 2, 130, 141


def ending(error: BaseException) -> tuple[int, str] | None:
    """Exit code and line to say ("" = nothing) for an exception that ended a command.

    None for a bug, which should keep its traceback.
    """
    if isinstance(error, CharlmError):
        return USER_ERROR, str(error)
    if isinstance(error, KeyboardInterrupt | EOFError | typer.Abort):
        return INTERRUPTED, ""
    if isinstance(error, BrokenPipeError):
        return BROKEN_PIPE, ""
    if hasattr(error, "format_message"):  # a usage error, of click's or of typer's own copy of it
        return USER_ERROR, _usage(error)
    if isinstance(error, OSError) and error.strerror:
        name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
        return USER_ERROR, f"{name}{': ' if name else ''}{error.strerror}"
    if isinstance(error, MemoryError) or "allocate memory" in str(error):
        return USER_ERROR, "not enough memory for this: ask for less at a time"
    return None


def print_error(text: str) -> None:
    """The one line that tells of an error."""
    _say("error: " + " ".join(text.split()))


def flush_stdout() -> None:
    """Write what is still to be written; if that fails, let Python's last flush not fail again."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _usage(error: BaseException) -> str:
    message: str = error.format_message().strip()  # type: ignore[attr-defined]
    message = message.replace("Value error, ", "").replace("Input should be", "must be")
    close = getattr(error, "possibilities", None)
    if close:
        choice = " or ".join(sorted(close))
        message = f"{error.message.rstrip('.')}. Did you mean {choice}?"  # type: ignore[attr-defined]
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "charlm"
    return f"{message} (see '{command} --help')"
