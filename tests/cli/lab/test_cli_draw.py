"""`charlm lab draw`."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from browser import check_self_contained
from cli_support import Cli, write_model

LONG = b"eat the cat that ate the bee\n"


@pytest.fixture
def model(elsewhere: Path) -> Path:
    return write_model(Path("m.safetensors"), text="the cat ate the bee\n" * 9)


def test_the_page_and_the_pictures(cli: Cli) -> None:
    done = cli("lab", "draw", "m.safetensors", "the cat ate the bee")
    assert done.code == 0
    assert done.err.splitlines()[-1] == "drawing: lab-draw.html"
    check_self_contained(Path("lab-draw.html").read_text("utf-8"))
    given = ("lab", "draw", "m.safetensors", "the cat", "--out", "a.svg")
    assert cli(*given).code == 0
    whole = Path("a.svg").read_text("utf-8")
    assert ET.fromstring(whole).tag.endswith("svg")
    assert cli(*given, "--what", "cell", "--step", "2").code == 0  # its own file is replaced
    assert "while it reads h" in Path("a.svg").read_text("utf-8")
    done = cli("lab", "draw", "m.safetensors", "-", "--step", "1", "--out", "b.SVG", stdin=LONG)
    assert f"the first 10 of {len(LONG) - 1} tokens" in done.err
    assert "while it reads e" in Path("b.SVG").read_text("utf-8")


def test_what_it_refuses(cli: Cli) -> None:
    def fails(*args: str) -> str:
        return cli.fails("lab", "draw", "m.safetensors", *args)

    assert "give some text" in fails("")
    assert "are for a single picture" in fails("the", "--step", "1")
    given = ("the", "--what", "network", "--step", "1", "--out", "a.svg")
    assert "--step is for a cell" in fails(*given)
    assert "ends in .html or .svg" in fails("the", "--out", "a.png")
    assert "no step 9" in fails("the", "--what", "cell", "--step", "9", "--out", "a.svg")
    Path("mine.svg").write_text("<svg>mine</svg>")
    assert "is not a file that this command writes" in fails("the", "--out", "mine.svg")
    assert Path("mine.svg").read_text() == "<svg>mine</svg>"
