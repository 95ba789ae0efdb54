"""What the tests of training share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest


def write_text(path: Path) -> Path:
    """A few thousand characters with something to learn in them."""
    rng = np.random.default_rng(0)
    who, what = ["the cat", "a dog", "my bird"], ["sleeps", "eats fish", "sees the sea"]
    lines = [f"{rng.choice(who)} {rng.choice(what)}." for _ in range(300)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.fixture
def text(elsewhere: Path) -> Path:
    """Such a text, in an empty working directory."""
    return write_text(elsewhere / "text.txt")


@pytest.fixture(scope="session")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with such a text and a run of three steps on it."""
    from trainings import SMALL

    from charlm.training.run import train

    place = tmp_path_factory.mktemp("begun")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        how: dict[str, Any] = {**SMALL, "optimizer": "muon"}
        train(write_text(place / "text.txt"), steps=3, out="run", **how)
    return place
