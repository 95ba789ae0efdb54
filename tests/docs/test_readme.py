"""What README says that commands print is what they print."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from readme import BLOCK, COMMAND, README, renewed, run_in

from charlm.cli.app import app

TEXT = README.read_text("utf-8")
TRAIN = re.compile(r"^charlm train (\S+) .*? --out (\S+)$")
TOY = r"charlm ngram \1 --level word --split unicode --min-count 3 --out \2 -q"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    return run_in(tmp_path_factory.mktemp("readme"))


def test_help_is_that_of_today(run: Callable[[str], str]) -> None:
    assert renewed(TEXT, run, training=False) == TEXT, "run: python tests/readme.py"
    assert "$ charlm --help\nUsage: charlm" in TEXT.replace("    ", "")


def test_every_other_command_prints_something(run: Callable[[str], str]) -> None:
    """With an n-gram model in the place of the network, which would take a minute to train."""
    printed: dict[str, str] = {}

    def on_toy(command: str) -> str:
        printed[command] = run(TRAIN.sub(TOY, command))
        return printed[command]

    text = renewed(TEXT, on_toy, training=True)
    assert len(printed) > 5
    assert all(output.strip() for output in printed.values()), printed
    commands = [found["command"] for found in COMMAND.finditer(TEXT)]
    assert [found["command"] for found in COMMAND.finditer(text)] == commands


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("no block\n    $ charlm\n", "no block\n    $ charlm\n"),
        (
            "<!-- output -->\n\n  $ a\n  old\n  $ b \\\n  c\n\n<!-- end -->\n",
            "<!-- output -->\n\n  $ a\n  [a]\n\n  $ b \\\n  c\n  [b \\\n    c]\n\n<!-- end -->\n",
        ),
        (
            "<!-- output after training -->\n```console\n$ a\nold\n\n$ b\n```\n<!-- end -->",
            "<!-- output after training -->\n```console\n$ a\n[a]\n\n$ b\n[b]\n```\n<!-- end -->",
        ),
    ],
)
def test_blocks_are_renewed(text: str, becomes: str) -> None:
    assert renewed(text, lambda command: f"[{command}]\n", training=True) == becomes
    assert renewed(text, lambda command: "", training=False) == text or "training" not in text


def test_only_charlm_is_run(run: Callable[[str], str], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="charlm only"):
        run("rm -r runs")
    with pytest.raises(ValueError, match="exit code 2"):
        run("charlm score --model missing x")


def test_the_table_of_commands_names_every_verb_and_its_section() -> None:
    found = dict(re.findall(r"^\| \[`(\w+)`\]\(#([\w-]+)\) \|", TEXT, re.MULTILINE))
    assert set(found) == {str(verb.name) for verb in app.registered_commands} | {"lab"}
    headings = re.findall(r"^### (.*)$", TEXT, re.MULTILINE)
    assert set(found.values()) == {heading.lower().replace(" ", "-") for heading in headings}


def test_files_named_for_developers_exist() -> None:
    for file in re.findall(r"`(charlm/[\w/]+\.py)`", TEXT):
        assert (README.parent / file).exists(), file


def test_every_block_is_closed() -> None:
    assert TEXT.count("<!-- output") == TEXT.count("<!-- end -->") == len(BLOCK.findall(TEXT))
