"""Long work in stages, as a bar: on a terminal, or in a notebook."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..runs.events import Events
from .notebook import Area, in_notebook
from .talk import progress_bar, warn

NOTEBOOK_SECONDS = 0.25  # between two pictures


class Stages(Events):
    """Tells `report` how much is done, 0 to 1, and stderr what is to be warned of."""

    def __init__(self, report: Callable[[float], None]) -> None:
        self.report = report

    def stage(self, name: str, done: float) -> None:
        if name != "estimate":  # of weights or n-grams: nobody knows how far it is
            self.report(done)

    def warn(self, message: str) -> None:
        warn(message)


@contextmanager
def stages(what: str) -> Iterator[Events]:
    """Events that are shown as a bar named `what`, if it takes a while."""
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
