"""Threads for work that releases the GIL: on a stream of items, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from . import machine

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_BEHIND = 8  # items that are waiting
MAX_THREADS = 4  # beyond this the calling thread, which feeds them, is the limit


def map_in_order(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    threads: int | None = None,
    ahead: int | None = None,
) -> Iterator[Result]:
    """`map`, in threads, a few items `ahead` (twice as many as threads). On one core, plain `map`.

    The items are taken, and the results given, in the calling thread.
    """
    workers = threads or min(MAX_THREADS, machine.cores() + 1)  # the calling thread mostly waits
    if ahead is None:
        ahead = 2 * workers
    if machine.cores() < 2:
        yield from map(work, items)
        return
    pending: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers, "charlm") as pool:
        try:
            for item in items:
                pending.append(pool.submit(work, item))
                if len(pending) > ahead:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


@contextmanager
def in_background(work: Callable[[Item], object]) -> Iterator[Callable[[Item], None]]:
    """A function that has another thread do `work` on an item, in order, a few items behind.

    Errors are raised by a later call, or at the end, by which all is done.
    """
    pending: deque[Future[object]] = deque()
    with ThreadPoolExecutor(1, "charlm") as pool:

        def submit(item: Item) -> None:
            pending.append(pool.submit(work, item))
            if len(pending) > MAX_BEHIND:
                pending.popleft().result()

        yield submit
        while pending:
            pending.popleft().result()
