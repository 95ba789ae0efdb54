"""The machine that a speed was measured on: processor, cores, memory, versions."""

from __future__ import annotations

import os
import platform
import re
import time
from contextlib import suppress
from pathlib import Path

from ..errors import CharlmError

AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?|(\d+(?:\.\d+)?)\s*%", re.IGNORECASE)
USUAL_BYTES = 150_000_000  # of the interpreter and its libraries
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
QUOTA = Path("/sys/fs/cgroup/cpu.max")  # Linux: of the container, as it sees it itself


def facts() -> dict[str, str | int]:
    """Processor, cores of this process, bytes of memory, system and versions, where known.

    Nothing in it identifies the machine or its user.
    """
    from importlib.metadata import PackageNotFoundError, version

    known: dict[str, str | int] = {"processor": processor(), "cores": cores()}
    with suppress(AttributeError, OSError, ValueError):  # not on Windows
        known["memory"] = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    known |= {"system": system(), "python": platform.python_version()}
    for package in ("torch", "numpy"):
        with suppress(PackageNotFoundError):
            known[package] = version(package)
    return known


def memory_bytes(amount: int | str) -> int:
    """An amount of memory in bytes: a number, or such as "800M", "1.5G" (of 2³⁰ bytes), "50%".

    Raises CharlmError for anything else.
    """
    if isinstance(amount, int):
        return amount
    match = AMOUNT.fullmatch(amount.strip())
    if match is None:
        raise CharlmError(f"`memory` takes an amount such as 800M, 1.5G or 50%, not {amount!r}")
    number, unit, percent = match.groups()
    if percent is not None and float(percent) > 100:
        raise CharlmError(f"`memory` is at most 100%, not {amount}")
    if percent is None:
        return int(float(number) * UNITS[unit.upper()])
    known = facts().get("memory")
    if not isinstance(known, int):
        raise CharlmError("this system does not say how much memory it has: give `memory=1G`")
    return int(known * float(percent) / 100)


def resident_bytes() -> int:
    """Memory that this process holds; USUAL_BYTES where the system does not say."""
    with suppress(AttributeError, OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return USUAL_BYTES


def processor() -> str:
    """The processor's name as the system reports it, or at least its family."""
    with suppress(OSError, UnicodeDecodeError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name" and value.strip():
                return value.strip()
    return platform.processor() or platform.machine() or "unknown"


def cores() -> int:
    """Logical processors that this process may use, by its affinity and its container's quota."""
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count() or 1
    with suppress(OSError, ValueError):  # "max 100000", or microseconds of every so many
        quota, period = QUOTA.read_text("ascii").split()
        allowed = min(allowed, max(1, round(int(quota) / int(period))))
    return allowed


def system() -> str:
    """Such as: Debian GNU/Linux 12 (bookworm)."""
    with suppress(OSError):
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    return f"{platform.system()} {platform.release()}".strip()


def process_seconds() -> float:
    """How long this process has been running, from before Python was loaded; 0 if unknown."""
    with suppress(AttributeError, OSError, ValueError, IndexError):
        fields = Path("/proc/self/stat").read_text("utf-8").rpartition(")")[2].split()
        started = int(fields[19]) / os.sysconf("SC_CLK_TCK")  # seconds after the system's start
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - started)
    return 0.0
