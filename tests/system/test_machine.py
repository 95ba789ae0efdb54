"""What kind of machine this is, and nothing that names it."""

from __future__ import annotations

import getpass
import mmap
import os
import platform
import sys
from pathlib import Path

import pytest

from charlm.errors import CharlmError
from charlm.system import machine


def test_facts_name_neither_the_machine_nor_its_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "node", lambda: pytest.fail("asked for the machine's name"))
    monkeypatch.setattr(getpass, "getuser", lambda: pytest.fail("asked for the user's name"))
    facts = machine.facts()
    assert facts["cores"] == machine.cores() >= 1
    assert {"processor", "system", "python", "numpy"} <= facts.keys()
    assert all(facts.values())


def test_where_the_system_tells_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that is not Linux."""

    def nothing(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(Path, "read_text", nothing)
    monkeypatch.setattr(platform, "freedesktop_os_release", nothing)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert machine.processor()
    assert machine.system() == f"{platform.system()} {platform.release()}"
    assert machine.cores() >= 1


@pytest.mark.parametrize(
    ("quota", "most"),
    [("max 100000", 8), ("50000 100000", 1), ("100000 100000", 1), ("300000 100000", 3),
     ("1600000 100000", 8), ("nonsense", 8)],
)  # fmt: skip
def test_a_containers_quota_limits_the_cores(
    quota: str, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    (tmp_path / "cpu.max").write_text(quota + "\n")
    monkeypatch.setattr(machine, "QUOTA", tmp_path / "cpu.max")
    assert machine.cores() == most


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_the_age_of_this_process() -> None:
    age = machine.process_seconds()
    assert 0 < age < 24 * 3600
    assert machine.process_seconds() >= age


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (5, 5),
        ("800M", 800 << 20),
        ("1.5 GiB", 3 << 29),
        ("2g", 2 << 30),
        ("7", 7),
        ("1TB", 1 << 40),
    ],
)
def test_amounts_of_memory(amount: int | str, expected: int) -> None:
    assert machine.memory_bytes(amount) == expected


def test_a_share_of_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "facts", lambda: {"memory": 1000})
    assert machine.memory_bytes("50%") == 500
    monkeypatch.setattr(machine, "facts", dict)
    with pytest.raises(CharlmError, match="does not say how much memory"):
        machine.memory_bytes("50%")


@pytest.mark.parametrize("amount", ["", "G", "much", "-1G", "1X"])
def test_other_amounts_are_refused(amount: str) -> None:
    with pytest.raises(CharlmError, match="an amount such as 800M"):
        machine.memory_bytes(amount)


def test_the_memory_that_this_process_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    before = machine.resident_bytes()
    with mmap.mmap(-1, 50_000_000) as held:
        held.write(b"x" * len(held))
        assert machine.resident_bytes() > before + len(held) // 2 or not Path("/proc").exists()
    monkeypatch.setattr(machine, "Path", lambda _: Path("/nowhere"))
    assert machine.resident_bytes() == machine.USUAL_BYTES
