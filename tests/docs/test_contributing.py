"""The worked examples of CONTRIBUTING.md, applied to a copy of the sources, do what they say."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
FILE = re.compile(r"^```(python|diff)\n# (\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMANDS = [
    line.removeprefix("$ ") for block in CONSOLE.findall(PAGE) for line in block.splitlines()
]


def patched(text: str, change: str) -> str:
    """The text after a change, whose lines begin with a space (kept), - (removed) or + (added)."""
    lines = [line or " " for line in change.splitlines()]
    old, new = ("\n".join(line[1:] for line in lines if line[0] != skip) for skip in "+-")
    assert text.count(f"\n{old}\n") == 1, f"not there, or more than once:\n{old}"
    return text.replace(f"\n{old}\n", f"\n{new}\n")


def apply(place: Path) -> None:
    """Carry out all examples of the page on the sources at `place`."""
    for kind, name, body in FILE.findall(PAGE):
        file = place / name
        if kind == "python":
            assert not file.exists()
            file.write_text(body, "utf-8")
        else:
            file.write_text(patched(file.read_text("utf-8"), body), "utf-8")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources after all examples of the page."""
    directory = tmp_path_factory.mktemp("contributing")
    for name in ("charlm", "data", "tests", "docs"):
        ignored = shutil.ignore_patterns("__pycache__", "fixtures")
        shutil.copytree(ROOT / name, directory / name, ignore=ignored)
    apply(directory)
    return directory


def run(place: Path, *command: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(place), "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=place,
        env=environment,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.train
def test_the_commands_run(place: Path) -> None:
    assert len(COMMANDS) > 5
    for command in COMMANDS:
        program, *args = shlex.split(command)
        assert program in ("charlm", "python")
        assert run(place, *(["-m", "charlm"] if program == "charlm" else []), *args).strip()


def test_the_examples_keep_to_the_wings(place: Path) -> None:
    assert "upward: []" in run(place, "tests/wings.py")


def test_every_example_is_there() -> None:
    for name in ("tokenizer", "model family", "cell", "task", "verb"):
        assert f"\n### Add a {name}\n" in PAGE
    assert len(FILE.findall(PAGE)) == PAGE.count("```python") + PAGE.count("```diff")
