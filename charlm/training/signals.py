"""Treat Ctrl-C as a request to save and stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = ("SIGINT", "SIGTERM", "SIGHUP")


@contextmanager
def stop_on_signal() -> Iterator[threading.Event]:
    """Within, the first Ctrl-C (SIGTERM, SIGHUP) only sets the event; the second acts as usual.

    A signal that is ignored, as nohup does, stays so.
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    known = [getattr(signal, name) for name in ENDING if hasattr(signal, name)]
    handlers = {s: signal.getsignal(s) for s in known}
    before = {s: handler for s, handler in handlers.items() if handler is not signal.SIG_IGN}

    def handle(number: int, frame: FrameType | None) -> None:
        stop.set()
        for s, handler in before.items():
            signal.signal(s, handler)

    for s in before:
        signal.signal(s, handle)
    try:
        yield stop
    finally:
        for s, handler in before.items():
            signal.signal(s, handler)
