"""Processes that share work which Python's lock keeps in one thread: each loads a thing once."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, TypeVar

from ..errors import CharlmError
from . import machine

Loaded = TypeVar("Loaded")
Item = TypeVar("Item")
Result = TypeVar("Result")

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")  # read by libraries

_loaded: Any = None  # in a worker: what it works with


def map_with(
    load: Callable[[], Loaded],
    work: Callable[[Loaded, Item], Result],
    items: Iterable[Item],
    processes: int,
) -> Iterator[Result]:
    """`work` on what `load` gives and on each item, in several processes; results in order.

    Each process calls `load` once, and has an equal share of the cores for its threads. The items
    are taken a few at a time. `load`, `work`, items and results are pickled on their way: functions
    of modules, not lambdas. Raises what `work` raises, and CharlmError if a process is killed.
    """
    pending: deque[Future[Result]] = deque()
    with (
        _threads(max(1, machine.cores() // processes)),
        ProcessPoolExecutor(processes, get_context("spawn"), _begin, (load,)) as pool,
    ):
        try:
            for item in items:
                pending.append(pool.submit(_call, work, item))
                if len(pending) > 2 * processes:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        except BrokenProcessPool:
            raise CharlmError(
                f"one of {processes} processes was killed, perhaps for lack of memory: try fewer "
                "`jobs`"
            ) from None
        finally:
            for future in pending:
                future.cancel()


def _begin(load: Callable[[], Any]) -> None:
    global _loaded
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asked for this
    _loaded = load()


def _call(work: Callable[[Any, Item], Result], item: Item) -> Result:
    return work(_loaded, item)


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """Processes that begin meanwhile use so many threads, unless the user has said how many."""
    mine = [name for name in THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(mine, str(number)))
    try:
        yield
    finally:
        for name in mine:
            os.environ.pop(name, None)
