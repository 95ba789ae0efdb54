"""Processes that share work which Python's lock keeps in one thread: each loads a thing once."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process
from threading import Thread
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
    others, begun = set(active_children()), False
    with (
        _threads(max(1, machine.cores() // processes)),
        ProcessPoolExecutor(processes, get_context("spawn"), _begin, (load,)) as pool,
    ):
        try:
            for item in items:
                pending.append(pool.submit(_call, work, item))
                if len(pending) > 2 * processes:
                    yield pending.popleft().result()
                    begun = True
            while pending:
                yield pending.popleft().result()
                begun = True
        except BrokenProcessPool:
            raise CharlmError(_why(processes, begun=begun)) from None
        except BaseException:  # whatever is being worked on is not wanted any more
            for child in set(active_children()) - others:
                child.terminate()
            raise
        finally:
            for future in pending:
                future.cancel()


def _why(processes: int, *, begun: bool) -> str:
    """What is said of a process that has ended by itself."""
    if begun:
        return (
            f"one of {processes} processes was killed, perhaps for lack of memory: try fewer `jobs`"
        )
    return (
        f"{processes} processes could not begin, or one was killed at once. There may be too "
        'little memory; and a script that uses `jobs` needs `if __name__ == "__main__":` around '
        "what it does"
    )


def _begin(load: Callable[[], Any]) -> None:
    global _loaded
    Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asked for this
    _loaded = load()


def _end_with_parent() -> None:
    """End this process when the one that began it has ended, however it did."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


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
