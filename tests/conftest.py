"""What every test runs under.

Without PyTorch and matplotlib, tests that need them are left out: files that import them or a wing
that does, and tests marked `train`.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

import pytest
from hypothesis import settings
from wings import ROOT, TORCH, imports

if "PYTEST_XDIST_WORKER" in os.environ:  # a worker a core: more threads would only wait
    os.environ.setdefault("OMP_NUM_THREADS", "1")

CAN_TRAIN = find_spec("torch") is not None and find_spec("matplotlib") is not None


def _needs_torch(name: str) -> bool:
    """Is the module of this name torch, or of a wing of charlm that imports it?"""
    package, _, rest = name.partition(".")
    return package == "torch" or (package == "charlm" and rest.partition(".")[0] in TORCH)


if not CAN_TRAIN:
    collect_ignore = [
        str(path)
        for path in (ROOT / "tests").rglob("test_*.py")
        if any(map(_needs_torch, imports(path)))
    ]

settings.register_profile("charlm", deadline=None)  # no test depends on how fast a machine is
settings.load_profile("charlm")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not CAN_TRAIN:
        left_out = pytest.mark.skip(reason='training is not installed: pip install "charlm[train]"')
        for item in items:
            if item.get_closest_marker("train"):
                item.add_marker(left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests have measured, which a worker of xdist cannot do itself."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "measured":
                terminalreporter.write_line(str(value))
