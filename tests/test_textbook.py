"""Every command of docs/textbook.md runs, on smaller networks and for fewer steps."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli_support import environment

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "textbook.md").read_text("utf-8")
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
COMMANDS = [
    line.removeprefix("$ ")
    for block in BLOCK.findall(PAGE)
    for line in block.splitlines()
    if line.startswith("$ ")
]
SMALL = {  # what makes an experiment small
    "charlm lab memory": "--steps 2 --seeds 1 --lags 2,6 --no-timer",
    "charlm lab gradients": "--steps 3 --hidden 16",
    "charlm lab bptt": "--steps 3 --hidden 8 --seeds 1",
    "charlm lab agreement": "",
}


def small(command: str) -> str:
    """The same command with little to do."""
    if command.startswith("charlm train"):
        return re.sub(r"--minutes \S+", "--steps 12 --hidden 24 --batch-size 8 --bptt 16", command)
    for begin, options in SMALL.items():
        if command.startswith(begin):
            if "agreement" in begin and "--model" not in command:
                options = "--steps 2 --runs 1"
            return f"{command} {options}"
    return command


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("textbook")
    shutil.copytree(ROOT / "data", directory / "data")
    return directory


def test_the_page_has_its_chapters() -> None:
    wanted = (
        "language models|tokens|recurrent network|backpropagation|vanish|gated recurrent|"
        "long short-term|both directions|depth|writing|characters or words"
    )
    for number, words in enumerate(wanted.split("|"), 1):
        assert re.search(rf"^## {number}\. .*{words}", PAGE, re.MULTILINE | re.IGNORECASE)
    assert len(COMMANDS) > 20


@pytest.mark.parametrize("command", COMMANDS, ids=range(len(COMMANDS)))
def test_a_command_of_the_page_runs(command: str, place: Path) -> None:
    """In the order of the page: later commands use the models of earlier ones."""
    script = 'charlm() { $CHARLM "$@"; }\n' + small(command)
    surroundings = environment(place, CHARLM=f"{sys.executable} -m charlm")
    done = subprocess.run(
        ["bash", "-ec", script],
        cwd=place,
        env=surroundings,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()
    out = re.search(r"--out (\S+\.(?:png|html))", command)
    if out:
        assert (place / out[1]).stat().st_size > 5000


def test_pictures_and_places_in_the_code_exist() -> None:
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", PAGE):
        assert (ROOT / "docs" / picture).exists()
    for file in re.findall(r"`(charlm/[\w/]+\.py)`", PAGE):
        assert (ROOT / file).exists(), file
