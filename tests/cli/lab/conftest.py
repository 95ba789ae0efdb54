"""What the tests of `charlm lab` share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def model(elsewhere: Path) -> Path | None:
    """None: experiments train networks of their own. All runs in an empty working directory."""
    return None


@pytest.fixture(scope="module", autouse=True)
def small_experiments(one_core: None) -> None:
    """No experiment starts processes, unless its test wants them."""
