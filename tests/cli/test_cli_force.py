"""Commands replace files that they wrote themselves, and others with --force."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_support import Cli, write_model

LETTER = "Dear Ada,\n"
NBEST = "u\tthe cat\t-1\nu\tthe rat\t-2\n"
LAB = ("lab", "cliff", "--steps", "2", "--beginnings", "1")
NGRAM = ("ngram", "corpus.txt", "--level", "word", "--order", "2")

COMMANDS = [
    pytest.param(("rescore", "n.tsv", "--out", "r.tsv"), "r.tsv", id="rescore"),
    pytest.param((*NGRAM, "--out", "{n}", "--arpa", "x.arpa"), "x.arpa", id="ngram"),
    pytest.param((*NGRAM, "--out", "{n}", "--arpa", "x.arpa.gz"), "x.arpa.gz", id="packed"),
    pytest.param((*LAB, "--out", "x.png"), "x.png", id="lab", marks=pytest.mark.train),
    pytest.param(
        ("lab", "neurons", "m.safetensors", "corpus.txt", "--out", "x.html"),
        "x.html",
        id="neurons",
        marks=pytest.mark.train,
    ),
]


@pytest.mark.usefixtures("random_words")
@pytest.mark.parametrize(("words", "out"), COMMANDS)
def test_what_is_replaced(cli: Cli, words: tuple[str, ...], out: str) -> None:
    Path("n.tsv").write_text(NBEST)
    write_model(Path("m.safetensors"))
    runs = iter(range(9))

    def command() -> list[str]:
        return [word.format(n=f"run{next(runs)}") if word == "{n}" else word for word in words]

    Path(out).write_text(LETTER)
    assert f"{out} exists" in (says := cli.fails(*command()))
    assert "--force" in says
    assert Path(out).read_text() == LETTER
    assert cli(*command(), "--force").code == 0
    mine = Path(out).read_bytes()
    assert mine != LETTER.encode()
    assert cli(*command()).code == 0
    Path(out).write_bytes(b"")
    assert cli(*command()).code == 0
    assert Path(out).read_bytes()


@pytest.mark.train
@pytest.mark.usefixtures("random_words")
def test_a_name_that_charlm_chose_is_replaced(cli: Cli) -> None:
    Path("lab-cliff.png").write_text(LETTER)
    assert cli(*LAB).code == 0
    assert Path("lab-cliff.png").read_bytes().startswith(b"\x89PNG")
