"""What docs/analyses.md says is what the commands do."""

from __future__ import annotations

import csv
import re
import shlex
from pathlib import Path

import matplotlib as mpl
import pytest

import charlm
from charlm.cli import main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "analyses.md").read_text("utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCKS = BLOCK.findall(PAGE)


def blocks(language: str) -> list[str]:
    return [body for kind, body in BLOCKS if kind == language]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the demonstration's text, under the names of the page."""
    directory = tmp_path_factory.mktemp("analyses")
    text = (ROOT / "data" / "demo.txt").read_text("utf-8")
    lines = text.splitlines(keepends=True)
    (directory / "brown.train.txt").write_text("".join(lines[:-400]), "utf-8")
    (directory / "brown.valid.txt").write_text("".join(lines[-400:]), "utf-8")
    (directory / "items.csv").write_text(blocks("csv")[0], "utf-8")
    charlm.ngram(directory / "brown.train.txt", level="word", out=directory / "runs" / "demo")
    return directory


def carry_out(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Run a command of the page, whose output may go to a file."""
    words, _, out = command.removeprefix("$ ").partition(" > ")
    capsys.readouterr()
    assert main(shlex.split(words)[1:]) == 0
    printed = capsys.readouterr().out
    if out:
        Path(out).write_text(printed, "utf-8")


def test_the_table_has_the_columns_that_the_page_explains(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pandas")
    monkeypatch.chdir(place)
    carry_out(blocks("console")[0].strip(), capsys)
    with Path("words.csv").open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    explained = re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)
    assert [name for cell in explained for name in re.findall(r"`(\w+)`", cell)] == head
    assert len(rows) == 4 * 8
    names: dict[str, object] = {}
    exec(blocks("python")[0], names)
    exec(blocks("python")[1], names)
    assert len(names["words"]) == 9  # type: ignore[arg-type]


def test_the_figure(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pandas")
    monkeypatch.chdir(place)
    for command in blocks("console")[1].splitlines():
        carry_out(command, capsys)
    with mpl.rc_context({"backend": "agg"}):
        exec(next(one for one in blocks("python") if "savefig" in one), {})
    assert Path("length.png").read_bytes().startswith(b"\x89PNG")
    assert "surprisal" in capsys.readouterr().out
