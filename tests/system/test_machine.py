"""What kind of machine this is, and nothing that names it."""

from __future__ import annotations

import getpass
import os
import platform
from pathlib import Path

import pytest

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
