"""`charlm train` as a user meets it: the outcome, and one clear line for each bad input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from charlm.cli import main
from charlm.models import model_file
from charlm.runs import locate
from charlm.system.allocator import SWITCH

pytestmark = pytest.mark.train

QUICK = [
    *("--steps", "4", "--hidden", "8", "--batch-size", "2", "--bptt", "8"),
    *("--precision", "fp32", "--threads", "1"),
]


@pytest.fixture(autouse=True)
def _text(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "off")
    Path("text.txt").write_text("the cat sees the sea\nthe pear is sweet\n" * 20, "utf-8")


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run a command that must fail: exit code 2, one line, nothing on stdout. Gives the line."""
    assert main(["train", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    return err


def test_json_outcome(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "text.txt", *QUICK, "--json"]) == 0
    out, err = capsys.readouterr()
    outcome = json.loads(out.splitlines()[-1])
    assert outcome["steps"] == 4
    assert outcome["run"] == "runs/text"
    assert outcome["best"]["tokens"] > 0
    assert model_file.read(outcome["model"]).training["best"] == outcome["best"]
    assert "LSTM 1 × 8" in err


def test_report_names_the_next_command_and_quiet_is_quiet(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["train", "text.txt", *QUICK, "-q"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for word in ("bits/char", "perplexity", "runs/text/model.safetensors", "charlm sample"):
        assert word in out


def test_resume_of_a_finished_run_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "text.txt", *QUICK, "-q", "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert main(["train", "--resume", "runs/text", "-q", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["best"] == first["best"]


def test_the_newest_run_is_the_latest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "text.txt", *QUICK, "-q"]) == 0
    assert main(["train", "text.txt", *QUICK, "-q", "--out", "elsewhere/mine"]) == 0
    assert locate.resolve().resolve() == Path("elsewhere/mine/model.safetensors").resolve()


@pytest.mark.parametrize(
    ("content", "say"),
    [
        (b"", "holds no text (0 bytes)"),
        (b"\n\n  \n", "whitespace"),
        (b"a", "1 character"),
        (b"abc abc\n", "give"),
        (b"good line\nbad \xff byte\n" * 40, "--encoding"),
        (b"some\0thing" * 90, "NUL"),
    ],
)
def test_bad_text(capsys: pytest.CaptureFixture[str], content: bytes, say: str) -> None:
    Path("bad.txt").write_bytes(content)
    line = refused(capsys, "bad.txt", *QUICK)
    assert say in line
    assert "bad.txt" in line or "training text" in line
    assert not Path("runs/bad").exists()


def test_short_text_names_the_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--batch-size", "64", "--bptt", "64"]
    assert "--bptt (such as" in refused(capsys, "text.txt", "--steps", "2", *words)


def test_errors_replace_and_latin1_read_it_after_all() -> None:
    Path("odd.txt").write_bytes(b"caf\xe9 au lait et th\xe9\n" * 30)
    for number, how in enumerate((["--errors", "replace"], ["--encoding", "latin-1"])):
        assert main(["train", "odd.txt", *QUICK, *how, "-q", "--out", f"run{number}"]) == 0
    assert "é" in "".join(
        model_file.read("run1/model.safetensors").tokenizer.token(k) for k in range(10)
    )


@pytest.mark.parametrize(
    ("words", "say"),
    [
        (["missing.txt"], "missing.txt does not exist"),
        (["*.text"], "no file matches *.text"),
        ([], "no text given"),
        (["text.txt", "--cell", "lsdm"], "unknown cell 'lsdm'"),
        (["text.txt", "--level", "letter"], "unknown level 'letter'"),
        (["text.txt", "--optimizer", "adagrad"], "unknown optimizer"),
        (["text.txt", "--schedule", "x"], "unknown schedule"),
        (["text.txt", "--precision", "fp8"], "unknown precision"),
        (["text.txt", "--device", "tpu"], "unknown device 'tpu'"),
        (["text.txt", "--encoding", "klingon"], "unknown encoding"),
        (["text.txt", "--hidden", "0"], "hidden"),
        (["text.txt", "--layers", "-1"], "layers"),
        (["text.txt", "--dropout", "1"], "dropout"),
        (["text.txt", "--lr", "-3"], "lr"),
        (["text.txt", "--lr", "fast"], "--lr"),
        (["text.txt", "--minutes", "-1"], "--minutes must be a number above 0"),
        (["text.txt", "--minutes", "1", "--epochs", "2"], "--epochs and --minutes"),
        (["text.txt", "--hiden", "3"], "--hidden"),
        (["--resume", "nowhere"], "nothing to resume"),
        (["--resume", "nowhere", "--lr", "1"], "leave out --lr"),
        (["text.txt", "--resume", "nowhere"], "leave out CORPUS"),
        (["text.txt", "--valid", "missing.txt"], "missing.txt does not exist"),
    ],
)
def test_bad_requests(capsys: pytest.CaptureFixture[str], words: list[str], say: str) -> None:
    assert say in refused(capsys, *words)


@pytest.mark.skipif(sys.platform != "linux", reason="needs RLIMIT_FSIZE")
def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path: Path) -> None:
    """A limit on file sizes stands for a disk that fills up while the checkpoint is written."""
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); "
        "from charlm.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        # -B: a file of compiled code would be cut off as well, and stay so
        [sys.executable, "-B", "-c", code, "train", "text.txt", *QUICK, "--hidden", "64", "-q"],
        capture_output=True,
        text=True,
        env={**os.environ, SWITCH: "off"},
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert not list(Path("runs").rglob("*.tmp"))
