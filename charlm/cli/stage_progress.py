"""A progress bar for work in stages, on a terminal or in a notebook."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..runs.events import Events
from .notebook import Area, in_notebook
from .talk import note, progress_bar, warn

NOTEBOOK_SECONDS = 0.25  # between updates


class Stages(Events):
    """Passes the fraction done, 0 to 1, to `report`, and warnings to stderr."""

    def __init__(self, report: Callable[[float], None]) -> None:
        self.report = report

    def stage(self, name: str, done: float) -> None:
        if name != "estimate":  # of weights or n-grams, whose progress is unknown
            self.report(done)

    def announce(self, message: str) -> None:
        note(message)

    def warn(self, message: str) -> None:
        warn(message)


@contextmanager
def stages(what: str) -> Iterator[Events]:
    """Events shown as a bar named `what`, if the work takes a while."""
    if not in_notebook():
        with progress_bar(what) as report:
            yield Stages(report)
        return
    area, shown = Area(), -NOTEBOOK_SECONDS

    def show(done: float) -> None:
        nonlocal shown
        if done == 1 or time.monotonic() - shown > NOTEBOOK_SECONDS:
            shown = time.monotonic()
            area.update(f"{what} … {done:4.0%}")

    area.update(f"{what} …")
    yield Stages(show)
