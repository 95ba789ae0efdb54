"""Using a model starts fast, because it imports little; and never torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cli_support import environment

HEAVY = {"torch", "matplotlib", "sentencepiece", "numpy", "safetensors", "rich.console"}
USE = {"numpy", "safetensors"}  # what a plain model needs, its results going to a pipe
SCRIPT = """
import sys
from charlm.cli import main
code = main(sys.argv[1:])
print("\\n" + " ".join(sys.modules))
sys.exit(code)
"""


def imported(model: Path, *args: str) -> set[str]:
    """Which of the heavy packages a command had imported at its end."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *args],
        env=environment(model),
        capture_output=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return set(done.stdout.decode().splitlines()[-1].split()) & HEAVY


@pytest.mark.parametrize("verb", ["", "train", "score", "sample", "eval", "info", "report"])
def test_help_imports_nothing_heavy(model: Path, verb: str) -> None:
    assert imported(model, *verb.split(), "--help") == set()


@pytest.mark.parametrize(
    "args",
    [
        ["score", "the apple", "the pear"],
        ["score", "--tokens", "--words", "the apple"],
        ["sample", "--seed", "1"],
        ["info"],
        ["eval", __file__],
    ],
)
def test_using_a_model_never_imports_torch(model: Path, args: list[str]) -> None:
    assert imported(model, *args) == USE


def test_a_name_from_the_library_brings_no_torch() -> None:
    code = "import sys, charlm; charlm.load; charlm.Model; sys.exit('torch' in sys.modules)"
    root = str(Path(__file__).parents[2])
    assert subprocess.run([sys.executable, "-c", code], cwd=root).returncode == 0
