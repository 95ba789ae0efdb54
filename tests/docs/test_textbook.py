"""Every command of the textbook chapters runs, on smaller networks and for fewer steps.

`make textbook` runs them in full, and checks the numbers.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from cli_support import Cli
from textbook import PAGES, all_commands, check, needs, prose
from textbook_claims import CLAIMS
from textbook_given import GIVEN
from textbook_measures import Claim, odds

from charlm.system.allocator import SWITCH

ROOT = Path(__file__).parents[2]
PAGE, CHINESE = (page.read_text("utf-8") for page in PAGES.values())
COMMANDS = all_commands()
SMALL = {  # what makes an experiment small
    "charlm lab memory": "--steps 2 --seeds 1 --lags 2,6 --no-counter",
    "charlm lab gradients": "--steps 3 --hidden 8 --length 10 --cells rnn,lstm",
    "charlm lab bptt": "--steps 3 --hidden 8 --seeds 1",
    "charlm lab agreement": "--sentences 5",
    "charlm lab timer": "--size 20 --steps 3 --seeds 1",
    "charlm lab cliff": "--steps 20 --beginnings 2",
    "charlm lab shapes": "--part 0.002 --seeds 1",
    "charlm lab start": "--steps 1 --seeds 1 --lag 3",
    "charlm lab depth": "--steps 40 --seeds 1",
}


def small(command: str) -> str:
    """The same command with little to do."""
    if command.startswith("charlm train"):
        command = re.sub(r"--vocab-size \S+", "--vocab-size 500", command)
        return re.sub(r"--steps \S+", "--steps 12 --hidden 24 --batch-size 8 --bptt 16", command)
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
        assert re.search(rf"^## {number}\. ", CHINESE, re.MULTILINE)
    assert len(COMMANDS) > 60


@pytest.mark.train
@pytest.mark.usefixtures("one_core")
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
    program, *args = shlex.split(small(command))
    if program == "charlm":
        done = Cli(None, capsys, monkeypatch)(*args)
        assert done.code == 0, done.err
        assert done.out.strip() or command.startswith("charlm lab draw")
    else:
        subprocess.run(["bash", "-c", command], check=True)
    out = re.search(r"--out (\S+\.(?:png|html|svg))", command)
    if out:
        assert Path(out[1]).stat().st_size > 4000


@pytest.mark.parametrize("page", [PAGE, CHINESE], ids=["en", "zh"])
def test_pictures_and_places_in_the_code_exist(page: str) -> None:
    assert "@" not in page  # nothing is left to be filled in
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", page):
        assert (ROOT / "docs" / picture).exists(), picture
    for file in re.findall(r"`(charlm/[\w/]+\.py)`", page):
        assert (ROOT / file).exists(), file


def test_every_number_in_the_text_is_claimed_or_given() -> None:
    """A number on a page is measured by `make textbook`, or is no measurement."""
    for page, said in ((PAGE, [one.said for one in CLAIMS]), (CHINESE, [one.zh for one in CLAIMS])):
        text = prose(page)
        for words in filter(None, said):
            assert words in text, words
            text = text.replace(words, " ")
        for pattern in GIVEN:
            text = re.sub(pattern, " ", text)
        left = re.findall(r".{0,40}(?<![A-Za-z\d_.])\d[\d,.]*.{0,30}", text)
        assert left == []


def test_a_claim_holds_in_its_range_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert all((one.said or one.zh) and one.low <= one.high for one in CLAIMS)
    command = 'charlm score "a" "b" --model runs/zh'
    found = {command: [{"logprob": -3.0}, {"logprob": -2.0}], f"{command}-five": []}
    assert check(Claim("×2.7", odds("runs/zh", "charlm score"), 2.6, 2.8), found)
    assert not check(Claim("×9", odds("runs/zh", "charlm score"), 8, 10), found)
    assert [line[:2] for line in capsys.readouterr().out.splitlines()] == ["ok", "NO"]


def test_a_command_waits_for_the_runs_and_files_that_it_reads() -> None:
    train, tail, draw, mine = commands = [
        "charlm train text.txt --out runs/a",
        "tail -n 9 text.txt > rest.txt",
        "charlm lab draw runs/a 'some text' --out a.svg",
        "charlm compare runs/a runs/b rest.txt",
    ]
    found = [needs(command, commands) for command in commands]
    assert found == [set(), set(), {train}, {train, tail}]
    assert draw not in needs(mine, commands)
