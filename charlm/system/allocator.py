"""Make the C library keep the memory it has: much of CPU training time is the kernel handing out
fresh zeroed pages for every large temporary.

`mallopt` raises the sizes above which glibc maps and unmaps; transparent huge pages need a setting
in the environment before the process starts, so `relaunch` replaces the process once. Linux with
glibc only, harmless elsewhere; `CHARLM_ALLOCATOR=off` or `charlm train --no-allocator` turn both
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


def wanted() -> bool:
    """Whether this is a system on which tuning helps and the user has not turned it off."""
    return (
        sys.platform == "linux"
        and platform.libc_ver()[0] == "glibc"
        and os.environ.get(SWITCH) != "off"
    )


def turn_off() -> None:
    """Leave the C library as it is, in this process and those it starts."""
    os.environ[SWITCH] = "off"


def keep_pages() -> bool:
    """Raise glibc's thresholds so that freed memory is reused; says whether it took."""
    if not wanted():
        return False
    libc = ctypes.CDLL(None)
    settings = ((M_MMAP_THRESHOLD, 1 << 30), (M_TRIM_THRESHOLD, 1 << 30), (M_TOP_PAD, 1 << 26))
    return all(bool(libc.mallopt(name, value)) for name, value in settings)


def relaunch() -> None:
    """Start this very command again with huge pages on, unless that has been done or is unwanted.

    Does not return when it acts: the process is replaced, keeping its id, terminal and streams.
    """
    if not wanted() or os.environ.get(SWITCH) == "tuned":
        return
    others = os.environ.get(TUNABLES)
    if others and "glibc.malloc.hugetlb" in others:
        return
    tunables = f"{others}:{HUGE_PAGES}" if others else HUGE_PAGES
    environment = {**os.environ, SWITCH: "tuned", TUNABLES: tunables}
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)
