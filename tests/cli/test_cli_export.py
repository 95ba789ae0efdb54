"""`charlm export`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_support import Cli

from charlm.cli.export import To
from charlm.export.exporting import FORMATS

pytestmark = pytest.mark.usefixtures("elsewhere")


def test_the_command(cli: Cli) -> None:
    done = cli("export", "--to", "safetensors", "--out", "a.safetensors")
    assert done.code == 0
    assert done.out.split() == ["model", "a.safetensors", "tokenizer", "a.tokenizer.json"]
    assert done.err == ""
    data = json.loads(cli("export", "--to", "safetensors", "--json").out)
    assert data["to"] == "safetensors"
    assert not data["is_part"]
    assert all(Path(file).is_file() for file in data["files"])


def test_the_choices_are_the_formats() -> None:
    assert [to.value for to in To] == list(FORMATS)


def test_a_page(cli: Cli) -> None:
    done = cli("export", "--to", "html", "--out", "a.html")
    assert (done.code, done.out.split(), done.err) == (0, ["model", "a.html"], "")
    Path("a.html").write_text("<!doctype html>")
    assert "--force" in cli.fails("export", "--to", "html", "--out", "a.html")
    assert cli("export", "--to", "html", "--out", "a.html", "--force").code == 0
    assert cli("export", "--to", "html", "--out", "a.html").code == 0


def test_refusals(cli: Cli, tmp_path: Path) -> None:
    assert "--to" in cli.fails("export")
    assert "nothing" in cli.fails("export", "nothing", "--to", "arpa")
    assert "no n-gram model" in cli.fails("export", "--to", "arpa")
    Path("a.safetensors").write_text("mine")
    said = cli.fails("export", "--to", "safetensors", "--out", "a.safetensors")
    assert "--force" in said
    assert cli.fails("export", "--to", "safetensors", "--out", tmp_path)
