"""What every test runs under."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

if "PYTEST_XDIST_WORKER" in os.environ:  # a worker a core: more threads would only wait
    os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("charlm", deadline=None)  # no test depends on how fast a machine is
settings.load_profile("charlm")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests have measured, which a worker of xdist cannot do itself."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "measured":
                terminalreporter.write_line(str(value))
