"""What the tests of training share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def text(elsewhere: Path) -> Path:
    """A few thousand characters with something to learn in them."""
    rng = np.random.default_rng(0)
    who, what = ["the cat", "a dog", "my bird"], ["sleeps", "eats fish", "sees the sea"]
    lines = [f"{rng.choice(who)} {rng.choice(what)}." for _ in range(300)]
    path = elsewhere / "text.txt"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path
