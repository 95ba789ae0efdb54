"""One writer per directory: a lock that the kernel releases however the process ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: without a lock
    fcntl = None  # type: ignore[assignment]


@contextmanager
def held(directory: Path) -> Iterator[bool]:
    """Hold the lock of an existing directory; yield whether it is ours, at once.

    The lock is on the directory itself (flock), so it leaves nothing behind, and counts for those
    who ask for it. Where the system has no such locks it is always ours. Raises OSError if there is
    no such directory.
    """
    if fcntl is None:
        yield True
        return
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        mine = True
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            mine = False
        except OSError:  # a file system without locks, or with locks on other terms (NFS)
            pass
        if mine:  # whoever held it before may have removed the directory since it was opened
            mine = os.path.samestat(os.fstat(handle), directory.stat())
        yield mine
    finally:
        with suppress(OSError):
            os.close(handle)
