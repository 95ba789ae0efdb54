"""Tune glibc's allocator to keep freed memory. Otherwise much of CPU training time goes to the
kernel handing out fresh zeroed pages for every large temporary.

`mallopt` raises the sizes above which glibc maps and unmaps; transparent huge pages need a setting
in the environment before the process starts, so `relaunch` replaces the process once. Linux with
glibc only, harmless elsewhere; `CHARLM_ALLOCATOR=off` or `charlm train --no-allocator` turns both
off.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys

SWITCH = "CHARLM_ALLOCATOR"  # off | tuned (set by ourselves after the relaunch)
TUNABLES = "GLIBC_TUNABLES"
HUGE_PAGES = "glibc.malloc.hugetlb=1"
# mallopt's parameters, from glibc's malloc.h
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3


def enabled() -> bool:
    """Whether tuning helps on this system and the user has not turned it off."""
    return (
        sys.platform == "linux"
        and platform.libc_ver()[0] == "glibc"
        and os.environ.get(SWITCH) != "off"
    )


def turn_off() -> None:
    """Leave the allocator alone, in this process and those it starts."""
    os.environ[SWITCH] = "off"


def keep_pages() -> bool:
    """Raise glibc's thresholds so that freed memory is reused; return whether that worked."""
    if not enabled():
        return False
    libc = ctypes.CDLL(None)
    settings = ((M_MMAP_THRESHOLD, 1 << 30), (M_TRIM_THRESHOLD, 1 << 30), (M_TOP_PAD, 1 << 26))
    return all(bool(libc.mallopt(name, value)) for name, value in settings)


def release() -> None:
    """Give memory that has been freed back to the system."""
    if enabled():
        ctypes.CDLL(None).malloc_trim(0)


def relaunch() -> None:
    """Re-execute this command with huge pages on, unless that has been done or is turned off.

    If it acts, it does not return: the process is replaced, keeping its id, terminal and streams.
    """
    if not enabled() or os.environ.get(SWITCH) == "tuned":
        return
    existing = os.environ.get(TUNABLES)
    if existing and "glibc.malloc.hugetlb" in existing:
        return
    tunables = f"{existing}:{HUGE_PAGES}" if existing else HUGE_PAGES
    environment = {**os.environ, SWITCH: "tuned", TUNABLES: tunables}
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)
