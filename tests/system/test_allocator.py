"""Memory allocation: large pages on Linux, unless turned off."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest

from charlm.system import allocator


@pytest.mark.skipif(not allocator.enabled(), reason="only on Linux with glibc")
def test_the_allocator_obeys() -> None:
    assert allocator.keep_pages()
    assert hasattr(ctypes.CDLL(None), "mallopt")


def test_relaunch_happens_once_and_keeps_the_arguments() -> None:
    code = (
        "import os, sys; from charlm.system import allocator; allocator.relaunch(); "
        "print(os.environ.get('GLIBC_TUNABLES'), sys.argv[1:])"
    )
    for switch, expected in (("", "glibc.malloc.hugetlb=1"), ("off", "None")):
        environment = {k: v for k, v in os.environ.items() if k != allocator.TUNABLES}
        environment |= {allocator.SWITCH: switch}
        done = subprocess.run(
            [sys.executable, "-c", code, "a b", "--c"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        if not allocator.enabled():
            expected = "None"
        assert done.stdout == f"{expected} ['a b', '--c']\n"


def test_the_allocator_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(allocator.SWITCH, "tuned")  # put back afterwards, whatever turn_off does
    allocator.turn_off()
    assert not allocator.enabled()
    assert not allocator.keep_pages()
