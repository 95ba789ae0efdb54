"""Ctrl-C while training: the first asks to stop, the second stops."""

from __future__ import annotations

import signal
import threading

import pytest

from charlm.training.signals import stop_on_signal

NAMES = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@pytest.mark.parametrize("first", [getattr(signal, name) for name in NAMES])
def test_the_first_asks_and_the_second_stops(first: signal.Signals) -> None:
    before = signal.getsignal(signal.SIGINT)
    with stop_on_signal() as stop:
        assert not stop.is_set()
        signal.raise_signal(first)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]
    with stop_on_signal():
        assert signal.getsignal(signal.SIGINT) is not before[0]
    assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)] == before


def test_another_thread_leaves_signals_alone() -> None:
    """Python lets only the main thread handle them."""
    seen: list[object] = []

    def work() -> None:
        with stop_on_signal() as stop:
            seen.extend([stop.is_set(), signal.getsignal(signal.SIGINT)])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False, signal.getsignal(signal.SIGINT)]


@pytest.mark.skipif("SIGHUP" not in NAMES, reason="this system has no SIGHUP")
def test_what_is_ignored_stays_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_on_signal() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert not stop.is_set()
    finally:
        signal.signal(signal.SIGHUP, before)
