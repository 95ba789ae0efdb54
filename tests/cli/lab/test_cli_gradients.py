"""`charlm lab gradients` and `charlm lab bptt`."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from cli_support import Cli

from charlm.lab import bptt, gradients

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(autouse=True)
def short_language(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the language of bptt: reading it takes long."""
    monkeypatch.setattr(bptt, "LAG_LINES", 1200)


SMALL = ("--steps", "2", "--hidden", "8")


def png_size(path: Path) -> tuple[int, int]:
    """Pixels across and down."""
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def test_gradients_on_the_command_line(cli: Cli, letters: Path, tmp_path: Path) -> None:
    picture = tmp_path / "flow.png"
    args: list[str | Path] = ["lab", "gradients", letters, *SMALL, "--length", "12"]
    done = cli(*args, "--cells", "lstm,gru", "--out", picture, "--json")
    assert done.code == 0
    found = json.loads(done.out)
    assert [one["cell"] for one in found["cells"]] == ["lstm", "gru"]
    assert all(len(one["trained"]["norms"]) == 13 for one in found["cells"])
    assert {one["gain"] for one in found["scaled"]} == set(gradients.GAINS)
    assert len(found["biased"]) == len(found["forget_biases"])
    assert len(found["cells"][0]["lagged"]["norms"]) == found["lag"]
    assert png_size(picture)[0] >= 1000
    plain = cli(*args, "--cells", "lstm", "--out", picture)
    assert plain.err == f"picture: {picture}\n"
    tables, remarks = plain.out.split("\n\n")[:-1], plain.out.split("\n\n")[-1]
    assert max(len(line) for table in tables for line in table.splitlines()) <= 80
    assert "Trained to recall, of what is there at k = 10" in remarks


def test_bptt_on_the_command_line(cli: Cli, letters: Path, tmp_path: Path) -> None:
    picture = tmp_path / "bptt.png"
    args: list[str | Path] = ["lab", "bptt", letters, *SMALL, "--out", picture]
    done = cli(*args, "--seeds", "1", "--json")
    assert done.code == 0
    found = json.loads(done.out)
    assert {(one["cell"], one["bptt"]) for one in found["points"]} == {
        (cell, T) for cell in ("rnn", "lstm") for T in bptt.LENGTHS
    }
    assert found["points"][0]["spread"] is None
    assert png_size(picture)[0] >= 1000
    plain = cli(*args, "--cells", "rnn")
    assert "rnn, on the text: best at T = " in plain.out
    assert "rnn, on the language: the symbol 10 steps back" in plain.out


@pytest.mark.parametrize("verb", ["gradients", "bptt"])
def test_what_an_experiment_refuses(cli: Cli, letters: Path, tmp_path: Path, verb: str) -> None:
    short = tmp_path / "short.txt"
    short.write_text("a few words\n", "utf-8")
    out: list[str | Path] = ["--out", tmp_path / "no.png"]
    assert "give more text" in cli.fails("lab", verb, short, *out)
    assert "unknown cell 'elman'" in cli.fails("lab", verb, letters, "--cells", "rnn,elman", *out)
    assert "nothing.txt" in cli.fails("lab", verb, tmp_path / "nothing.txt", *out)
    assert "nowhere" in cli.fails("lab", verb, letters, "--out", tmp_path / "nowhere" / "a.png")
    assert not (tmp_path / "no.png").exists()


@pytest.mark.parametrize("verb", ["gradients", "bptt"])
@pytest.mark.parametrize(("given", "wrong"), [(b"a\0b", "holds a NUL"), (b"a\xff", "not valid")])
def test_errors_of_stdin_say_so(cli: Cli, verb: str, given: bytes, wrong: str) -> None:
    said = cli.fails("lab", verb, "-", stdin=given)
    assert said.startswith("stdin ")
    assert wrong in said


def test_numbers_outlive_a_picture_that_fails(
    cli: Cli, letters: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: object, **options: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("charlm.cli.lab.experiment.png", fails)
    args = ("--steps", "1", "--hidden", "4", "--cells", "gru", "--length", "3", "--json")
    done = cli("lab", "gradients", letters, *args)
    assert done.code == 2
    assert json.loads(done.out)
    assert done.err == "error: No space left on device\n"


@pytest.mark.parametrize("verb", ["gradients", "bptt"])
def test_the_picture_never_replaces_the_text(
    cli: Cli, letters: Path, tmp_path: Path, verb: str
) -> None:
    before, link = letters.read_bytes(), tmp_path / "link.txt"
    link.symlink_to(letters)
    for out in (letters, link):
        said = cli.fails(
            "lab", verb, letters, "--steps", "1", "--hidden", "4", "--out", out, "--force"
        )
        assert said == f"{out} is one of the files to read: name another with --out"
    assert letters.read_bytes() == before
