"""Messages on stderr: notes, warnings, errors, a progress bar."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..display.readable import cut
from .exit_codes import as_options
from .show import console, is_terminal, one_line

MAX_MESSAGE = 1000  # characters: what a file or an option says is quoted so far
MAX_NAME = 40  # of it, beside a bar
BAR_AFTER_SECONDS = 2.0  # of silence before a progress bar appears


@dataclass
class Talk:
    """Verbosity of stderr, and when the command began."""

    quiet: bool = False
    verbose: bool = False
    began: float = 0.0  # seconds, on the clock of time.monotonic


talk = Talk()


def print_error(text: str) -> None:
    """Print an error as one line."""
    _say("error: " + " ".join(as_options(text).split()))


def warn(text: str) -> None:
    """Something the user should know, though the command continues; silenced by -q."""
    if not talk.quiet:
        _say(f"warning: {as_options(text)}")


def note(text: str) -> None:
    """A note besides the results; silenced by -q."""
    if not talk.quiet:
        _say(text)


def aside(text: str) -> None:
    """A result on stderr, because stdout holds data for programs; -q does not silence it."""
    _say(text)


def detail(text: str) -> None:
    """A note shown with -v."""
    if talk.verbose:
        _say(text)


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[float], None]]:
    """Show a bar on a terminal's stderr if the work takes more than two seconds.

    Yields a function to call with the fraction done, 0 to 1; until then the bar only pulses.
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

        name = TextColumn("{task.description}", markup=False)
        parts = (name, BarColumn(), TaskProgressColumn(), TimeLeft())
        with Progress(*parts, console=console(stderr=True), transient=True) as bar:
            task, before = bar.add_task(one_line(cut(what, MAX_NAME)), total=None), 0.0
            while not finished.wait(0.1):
                if done[0] is not None:
                    if done[0] < before:  # the next stage: its time is its own
                        bar.reset(task)
                    before = done[0]
                    bar.update(task, total=1.0, completed=before)

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
        sys.stderr.write(one_line(cut(text, MAX_MESSAGE)) + "\n")
        sys.stderr.flush()
