"""`charlm lab agreement`."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from random import Random
from threading import Thread

import pytest
from cli_support import Cli, write_model

from charlm.lab import agreement
from charlm.lab.agreement import Agreement, train_and_evaluate
from charlm.lab.clauses import Lexicon, draw_text

WORDS = Lexicon()
TEXT = "".join(f"{line}\n" for line in draw_text(Random(3), WORDS, 400, set()))


@pytest.fixture(scope="module")
def small() -> Agreement:
    return train_and_evaluate(seed=4, runs=1, steps=2, sentences=4, lines=600)


def test_json_and_picture(cli: Cli) -> None:
    write_model(Path("m.safetensors"), "char", TEXT)
    result = cli("lab", "agreement", "-m", "m.safetensors", "--sentences", "2", "--json")
    assert result.code == 0
    found = json.loads(result.out)
    assert found["words_between"] == list(range(21))
    without, with_them = found["conditions"]
    assert without["sentences"] == [2] * 21
    assert with_them["sentences"] == [0] * 3 + [2] * 18
    assert with_them["accuracy"]["m"][:3] == [None] * 3
    assert all(share in (0, 0.5, 1) for share in without["accuracy"]["m"])
    assert Path("lab-agreement.png").read_bytes().startswith(b"\x89PNG")
    assert result.err == "picture: lab-agreement.png\n"


def test_the_table(cli: Cli, small: Agreement, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreement, "train_and_evaluate", lambda **settings: small)
    result = cli("lab", "agreement")
    lines = result.out.splitlines()
    grams = ["3-gram", "5-gram", "9-gram", "13-gram"]
    assert lines[1].split() == ["words", *grams, "RNN", "GRU", "LSTM"]
    assert grams in [line.split() for line in lines]
    assert [line.split()[0] for line in lines[2:11]] == [
        str(n) for n in (0, 1, 2, 3, 5, 8, 12, 16, 20)
    ]
    assert max(map(len, lines[:-2])) <= 80
    assert lines[-2].startswith("Past attractors")
    assert "one run" in lines[-1]


def test_unknown_words_are_named(cli: Cli) -> None:
    lines = [line for line in TEXT.splitlines() if "goose" not in line and "geese" not in line]
    write_model(Path("m.safetensors"), "word", "\n".join([*lines, "lamp lamps"]), split="unicode")
    result = cli("lab", "agreement", "-m", "m.safetensors", "--sentences", "2")
    assert result.code == 0
    assert result.err.splitlines() == [
        "left out, since a model does not know it: goose geese",
        "picture: lab-agreement.png",
    ]
    assert "goose" not in result.out


def test_words_between_spaces_hold_no_commas(cli: Cli) -> None:
    write_model(Path("m.safetensors"), "word", TEXT.replace(",", " ,").replace(".", " ."))
    said = cli.fails("lab", "agreement", "-m", "m.safetensors", "--sentences", "2")
    assert said == "m knows all words of no sentence: does its vocabulary contain the comma?"


def test_user_errors_take_one_line(cli: Cli) -> None:
    assert "there is no model" in cli.fails("lab", "agreement", "-m", "none")
    assert "no: No such file" in cli.fails("lab", "agreement", "--out", "no/p.png")
    write_model(Path("m.safetensors"), "char", TEXT)
    for option in ("--runs", "--steps"):
        said = cli.fails("lab", "agreement", "-m", "m.safetensors", option, "3")
        assert said == "--runs and --steps are for freshly trained cells: leave out --model"


def test_the_picture_never_replaces_a_model(cli: Cli) -> None:
    Path("run").mkdir()
    own = write_model(Path("run/model.safetensors"), "char", TEXT)
    other, before = write_model(Path("m.safetensors"), "char", TEXT), own.read_bytes()
    for out in (own, other):
        args = ("-m", "run", "-m", other, "--sentences", "2", "--out", out, "--force")
        assert f"{out} is one of the files to read" in cli.fails("lab", "agreement", *args)
        assert out.read_bytes() == before


def test_a_picture_goes_where_the_path_leads(cli: Cli) -> None:
    """Into a pipe, and through a link; neither is replaced."""
    write_model(Path("m.safetensors"), "char", TEXT)
    os.mkfifo("pipe")
    Path("link.png").symlink_to("real.png")
    read = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)  # what no reader waits for blocks
    try:
        for out in ("pipe", "link.png"):
            args = ("-m", "m.safetensors", "--sentences", "2", "--out", out, "--force")
            done = Thread(target=cli, args=("lab", "agreement", *args), daemon=True)
            done.start()
            taken = b""
            while done.is_alive():
                with suppress(BlockingIOError):
                    taken += os.read(read, 1 << 16)
                done.join(0.01)
            with suppress(BlockingIOError):
                taken += os.read(read, 1 << 16)
            assert taken.startswith(b"\x89PNG") == (out == "pipe")
    finally:
        os.close(read)
    assert Path("pipe").is_fifo()
    assert Path("link.png").is_symlink()
    assert Path("real.png").read_bytes().startswith(b"\x89PNG")
