"""Damaged files of every kind: used, or refused in one line. `benchmarks/attack.py` tries more."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

if sys.platform != "linux":
    pytest.skip("limits of processes are set as on Linux", allow_module_level=True)

import driver

pytestmark = pytest.mark.train
CASES = 300


def test_no_file_does_harm(tmp_path: Path) -> None:
    driver.make(tmp_path)
    found = driver.attack(tmp_path, CASES, seconds=20.0)
    failed = [text for tally in found.values() for text in tally.failed]
    assert sum(tally.tried for tally in found.values()) == CASES
    assert failed == []
    assert sum(tally.used for tally in found.values()) < 0.7 * CASES  # the changes do change
