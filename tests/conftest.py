"""What every test runs under."""

from __future__ import annotations

import os

from hypothesis import settings

if "PYTEST_XDIST_WORKER" in os.environ:  # a worker a core: more threads would only wait
    os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("charlm", deadline=None)  # no test depends on how fast a machine is
settings.load_profile("charlm")
