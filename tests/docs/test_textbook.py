"""Every command of docs/textbook.md runs, on smaller networks and for fewer steps."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from cli_support import Cli

from charlm.system import machine
from charlm.system.allocator import SWITCH

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "textbook.md").read_text("utf-8")
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
COMMANDS = [
    line.removeprefix("$ ")
    for block in BLOCK.findall(PAGE)
    for line in block.splitlines()
    if line.startswith("$ ")
]
SMALL = {  # what makes an experiment small
    "charlm lab memory": "--steps 2 --seeds 1 --lags 2,6 --no-counter",
    "charlm lab gradients": "--steps 3 --hidden 8 --length 10 --cells rnn,lstm",
    "charlm lab bptt": "--steps 3 --hidden 8 --seeds 1",
    "charlm lab agreement": "--sentences 5",
    "charlm lab timer": "--size 20 --steps 3 --seeds 1",
    "charlm lab cliff": "--steps 20 --beginnings 2",
}


def small(command: str) -> str:
    """The same command with little to do."""
    if command.startswith("charlm train"):
        return re.sub(r"--minutes \S+", "--steps 12 --hidden 24 --batch-size 8 --bptt 16", command)
    for begin, options in SMALL.items():
        if command.startswith(begin):
            if "agreement" in begin and "--model" not in command:
                options = "--steps 2 --runs 1 --sentences 5"
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


@pytest.mark.train
@pytest.mark.parametrize("command", COMMANDS, ids=range(len(COMMANDS)))
def test_a_command_of_the_page_runs(
    command: str,
    place: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In the order of the page: later commands use the models of earlier ones."""
    monkeypatch.chdir(place)
    monkeypatch.setenv(SWITCH, "off")  # it would start this process anew
    monkeypatch.setattr(machine, "cores", lambda: 1)  # no processes: they would take longer
    program, *args = shlex.split(small(command))
    if program == "charlm":
        done = Cli(None, capsys, monkeypatch)(*args)
        assert done.code == 0, done.err
        assert done.out.strip()
    else:
        subprocess.run(["bash", "-c", command], check=True)
    out = re.search(r"--out (\S+\.(?:png|html))", command)
    if out:
        assert Path(out[1]).stat().st_size > 5000


def test_nothing_is_left_to_be_written() -> None:
    assert "@@" not in PAGE


def test_pictures_and_places_in_the_code_exist() -> None:
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", PAGE):
        assert (ROOT / "docs" / picture).exists()
    for file in re.findall(r"`(charlm/[\w/]+\.py)`", PAGE):
        assert (ROOT / file).exists(), file
