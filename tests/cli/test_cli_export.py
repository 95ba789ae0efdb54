"""`charlm export`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_support import Cli
from toys import pair_of

from charlm.cli.export import To
from charlm.export.exporting import FORMATS
from charlm.models import model_file, model_parts
from charlm.models.model_file import ModelFile
from charlm.models.unigram_cache import UnigramCacheLM

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


def test_a_part_of_a_model_is_called_so(cli: Cli) -> None:
    lm, tokenizer = pair_of("char")
    network = ModelFile("recurrent", lm.config.as_dict(), tokenizer, dict(lm.tensors))
    cached = model_parts.with_cache(network, UnigramCacheLM(lm, lm.eos, 0.2))
    model_file.write("cached.safetensors", cached)
    done = cli("export", "cached.safetensors", "--to", "safetensors", "--out", "a.safetensors")
    assert "only a part of the model is written: GRU 1 × 7\n" in done.err
    assert cli("export", "cached.safetensors", "--to", "html").err == ""


def test_refusals(cli: Cli, tmp_path: Path) -> None:
    assert "--to" in cli.fails("export")
    assert "nothing" in cli.fails("export", "nothing", "--to", "arpa")
    assert "no n-gram model" in cli.fails("export", "--to", "arpa")
    Path("a.safetensors").write_text("mine")
    said = cli.fails("export", "--to", "safetensors", "--out", "a.safetensors")
    assert "--force" in said
    assert cli.fails("export", "--to", "safetensors", "--out", tmp_path)
