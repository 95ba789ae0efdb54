"""`charlm compress` and `charlm decompress` as a user meets them."""

from __future__ import annotations

import json
import os
import pty
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_support import Cli, run, write_model

pytest.importorskip("constriction", reason="constriction is not installed")
STORY = "the apple and pear salad\nthe cats, which already ate fish, were full.\n" * 20


@pytest.fixture
def story(tmp_path: Path, elsewhere: Path) -> Path:
    path = tmp_path / "story.txt"
    path.write_text(STORY, "utf-8")
    return path


def test_there_and_back(cli: Cli, story: Path) -> None:
    packed = story.with_name("story.txt.charlm")
    done = cli("compress", str(story), "--adapt", "--blocks", "3")
    assert done.code == 0
    assert f"file   {packed}" in done.out
    assert "bits per byte" in done.out
    story.rename(story.with_name("kept.txt"))
    assert cli("decompress", str(packed)).code == 0
    assert story.read_text("utf-8") == STORY


def test_json(cli: Cli, story: Path) -> None:
    done = cli("compress", str(story), "--json", "--out", str(story.with_name("x")))
    record = json.loads(done.out)
    assert record["bytes"] == len(STORY)
    assert record["compressed"] == story.with_name("x").stat().st_size
    assert record["bits_per_byte"] == 8 * record["compressed"] / record["bytes"]
    assert record["file"].endswith("x")


def piped(args: list[str], data: bytes, model: Path) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "charlm", *args, "--model", str(model)]
    return subprocess.run(command, input=data, capture_output=True, check=False)


def test_pipes(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model.safetensors")
    small = piped(["compress", "-"], STORY.encode(), model)
    assert small.returncode == 0
    assert b"bits per byte" in small.stderr
    back = piped(["decompress", "-"], small.stdout, model)
    assert (back.returncode, back.stdout) == (0, STORY.encode())
    cut = piped(["decompress", "-"], small.stdout[:-1], model)
    assert cut.returncode == 2
    assert cut.stderr == b"error: stdin: damaged or cut off: it cannot be read back\n"


def test_a_terminal_gets_no_bytes(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model.safetensors")
    above, below = pty.openpty()
    command = [sys.executable, "-m", "charlm", "compress", "-", "--model", str(model)]
    done = subprocess.run(command, input=b"abc", stdout=below, stderr=subprocess.PIPE, check=False)
    os.close(below)
    os.close(above)
    assert done.returncode == 2
    assert b"say with --out where to write it" in done.stderr


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["compress", "missing.txt"], "missing.txt: No such file"),
        (["compress", "."], "directory"),
        (["decompress", ".", "--out", "x"], "directory"),
        (["compress", "STORY", "--out", ""], "--out is empty"),
        (["compress", "-", "--json"], "would both go to stdout"),
        (["compress", "STORY", "--out", "STORY"], "not a file that this command writes"),
        (["compress", "STORY", "--out", "STORY", "--force"], "is one of the files to read"),
        (["compress", "STORY", "--out", "MODEL", "--force"], "is one of the files to read"),
        (["compress", "STORY", "--blocks", "9999"], "--blocks must be from 0 (by size) to 4,096"),
        (["decompress", "STORY"], "does not end with .charlm: say with --out"),
        (["decompress", "STORY", "--out", "x"], "not a file that `charlm compress` wrote"),
    ],
)
def test_what_cannot_be(cli: Cli, story: Path, args: list[str], words: str) -> None:
    assert cli.model is not None
    named = {"STORY": str(story), "MODEL": str(cli.model)}
    done = cli(*[named.get(arg, arg) for arg in args])
    assert done.code == 2
    assert words in done.err
    assert done.err.count("\n") == 1
    assert story.read_text("utf-8") == STORY
    assert not Path("x").exists()


def test_closed_streams(tmp_path: Path) -> None:
    model, out = write_model(tmp_path / "model.safetensors"), tmp_path / "out"
    done = run(model, shell=f"$CHARLM compress - --out {out} <&-")
    assert (done.returncode, done.stderr) == (2, b"error: stdin is closed: name a file\n")
    done = run(model, shell="$CHARLM compress - >&-", stdin=b"abc")
    assert done.returncode == 2
    assert b"stdout is closed" in done.stderr
    done = run(model, shell="$CHARLM compress - --out /dev/stdout | cat", stdin=b"abc")
    assert done.stdout.startswith(b"\x89charlm")


def test_of_a_mixture_the_network_goes_into_the_file(cli: Cli, story: Path) -> None:
    assert cli.model is not None
    other = write_model(story.with_name("other.safetensors"))
    both = story.with_name("both.safetensors")
    assert cli("mix", str(cli.model), str(other), "--dev", str(story), "--out", str(both)).code == 0
    cli.model = both
    done = cli("compress", str(story), "--with-model")
    assert "only a part of the model is in the file, and used: LSTM 1 × 12" in done.err


def test_what_exists_is_not_replaced(cli: Cli, story: Path) -> None:
    packed = story.with_name("story.txt.charlm")
    packed.write_text("mine")
    assert "not a file that this command writes" in cli("compress", str(story)).err
    assert cli("compress", str(story), "--force").code == 0
    assert cli("compress", str(story)).code == 0  # one of its own
    done = cli("decompress", str(packed))
    assert done.code == 2
    assert "exists" in done.err
    assert cli("decompress", str(packed), "--force").code == 0


def test_another_model(cli: Cli, story: Path, tmp_path: Path) -> None:
    cli("compress", str(story))
    other = write_model(tmp_path / "other.safetensors", level="byte")
    done = cli("decompress", f"{story}.charlm", "--out", "x", "--model", str(other))
    assert done.code == 2
    assert "story.txt.charlm: it was compressed with another model than" in done.err
    assert "with LSTM 1 × 12" in done.err
    assert "Name that one with --model" in done.err
    missing = cli("decompress", f"{story}.charlm", "--out", "x", "--model", "missing")
    assert missing.err.startswith("error: there is no model missing")


def test_with_the_model_inside_none_is_needed(cli: Cli, story: Path) -> None:
    assert cli("compress", str(story), "--with-model").code == 0
    cli.model = None
    packed = f"{story}.charlm"
    assert cli("decompress", packed, "--out", "back.txt").code == 0
    assert Path("back.txt").read_text("utf-8") == STORY


def test_killed_while_writing(tmp_path: Path) -> None:
    """Nothing half is left under the name of the result, and what stood there stays."""
    model = write_model(tmp_path / "model.safetensors")
    big, small = tmp_path / "big.txt", tmp_path / "big.txt.charlm"
    words = random.Random(0).choices(STORY.split(), k=100_000)
    big.write_text(" ".join(words), "utf-8")
    command = [sys.executable, "-m", "charlm", "compress", str(big), "--model", str(model)]
    command += ["--blocks", "1"]  # which takes half a minute
    small.write_bytes(b"")
    for seconds in (0.5, 1.0, 1.5):
        process = subprocess.Popen(command)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert small.read_bytes() == b""


def test_without_constriction(cli: Cli, story: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from charlm.system import extras

    monkeypatch.setattr(extras, "_is_installed", lambda package: package != "constriction")
    done = cli("compress", str(story))
    assert done.code == 2
    assert 'pip install "charlm[compress]"' in done.err
    assert not story.with_name("story.txt.charlm").exists()
