"""The machine that a speed was measured on: processor, cores, memory, versions."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def facts() -> dict[str, str | int]:
    """Processor, cores of this process, bytes of memory, system and versions, where known.

    Nothing in it identifies the machine or its user.
    """
    known: dict[str, str | int] = {"processor": processor(), "cores": cores()}
    with suppress(AttributeError, OSError, ValueError):  # not on Windows
        known["memory"] = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    known |= {"system": system(), "python": platform.python_version()}
    for package in ("torch", "numpy"):
        with suppress(PackageNotFoundError):
            known[package] = version(package)
    return known


def processor() -> str:
    """The processor's name as the system reports it, or at least its family."""
    with suppress(OSError, UnicodeDecodeError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name" and value.strip():
                return value.strip()
    return platform.processor() or platform.machine() or "unknown"


def cores() -> int:
    """Logical processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def system() -> str:
    """Such as: Debian GNU/Linux 12 (bookworm)."""
    with suppress(OSError):
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    return f"{platform.system()} {platform.release()}".strip()
