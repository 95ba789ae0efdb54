"""What the tests of the command line share: a small model, and commands that use it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cli_support import Cli, write_model

WORDS = ["the", "a", "cat", "dog", "mat", "sat", "ate", "on", "pear", "apple"]


@pytest.fixture(scope="session")
def char_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("char") / "model.safetensors")


@pytest.fixture
def model(char_model: Path) -> Path | None:
    """The model of commands that name none. A file that has another, or none, says so."""
    return char_model


@pytest.fixture
def cli(
    model: Path | None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Cli:
    return Cli(model, capsys, monkeypatch)


@pytest.fixture
def random_words(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """corpus.txt and held.txt in the working directory, and no new process for `train`."""
    monkeypatch.setenv("CHARLM_ALLOCATOR", "off")
    rng = np.random.default_rng(0)
    lines = [" ".join(rng.choice(WORDS, 6)) for _ in range(400)]
    Path("corpus.txt").write_text("\n".join(lines) + "\n")
    Path("held.txt").write_text("\n".join(" ".join(rng.choice(WORDS, 6)) for _ in range(60)))


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """Models of different letters."""
    return (
        write_model(tmp_path / "a.safetensors"),
        write_model(tmp_path / "b.safetensors", text="wholly other letters, QXZ\n"),
    )
