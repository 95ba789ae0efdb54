"""Threads beside other work on the machine: how they wait for each other, and how many to use.

The threads of OpenMP (torch) and OpenBLAS (NumPy) wait for each other by spinning, for 6 to 20 ms
unless told otherwise. On an idle machine that costs nothing. Beside a busy process, a thread that
spins takes the core away from the thread it is waiting for, and training runs at a fiftieth of its
speed. See docs/decisions/0016.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from . import machine

# Read by each library when it is loaded. About 0.2 ms of spinning: the shortest at which training
# on an idle machine is as fast as with the libraries' own values.
OPENMP_SPINS = "10000"  # rounds of a loop
OPENBLAS_TIMEOUT = "18"  # log₂ of the processor's clock ticks
LOAD = Path("/proc/loadavg")  # Linux: "0.25 0.99 1.34 3/79 29662", of which 3 are running now
GLANCES, GLANCE_SECONDS = 4, 0.001  # a process that is busy in all of them is taken as busy


def wait_briefly() -> None:
    """Have threads spin briefly, then sleep. Takes effect in libraries that are not yet loaded."""
    if "OMP_WAIT_POLICY" not in os.environ:  # by which the user may have said the same
        os.environ.setdefault("GOMP_SPINCOUNT", OPENMP_SPINS)
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", OPENBLAS_TIMEOUT)


def free_cores() -> int:
    """Cores of this process that no other process is using now, at least 1.

    Found by a few glances at the number of running threads; where the system does not tell
    (outside Linux), all cores count as free. Of this process, one running thread is assumed.
    """
    others = None
    for glance in range(GLANCES):
        if glance:
            time.sleep(GLANCE_SECONDS)
        with suppress(OSError, ValueError, IndexError):
            running = int(LOAD.read_text("ascii").split()[3].split("/")[0]) - 1
            others = running if others is None else min(others, running)
    everywhere = os.cpu_count() or 1
    return max(1, min(machine.cores(), everywhere - (others or 0)))


def leave_busy_cores() -> None:
    """Limit NumPy's products to the free cores, if it is not yet loaded nor limited by the user."""
    if "numpy" not in sys.modules and "OPENBLAS_NUM_THREADS" not in os.environ:
        free = free_cores()
        if free < machine.cores():
            os.environ["OPENBLAS_NUM_THREADS"] = str(free)
