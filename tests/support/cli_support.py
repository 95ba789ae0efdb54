"""For the tests of the command line: small models on disk, and ways to run commands."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from toys import random_tensors
from wings import ROOT

from charlm.cli import main
from charlm.config import NetworkConfig, TokenizerConfig
from charlm.models import model_file
from charlm.text import tokenizer

TEXT = "the apple and pear salad\nthe cats, which already ate fish, were full.\n" * 3


def write_model(
    path: Path, level: str = "char", text: str = TEXT, split: str = "whitespace"
) -> Path:
    """A model file with random weights, whose vocabulary is that of `text`."""
    tokens = tokenizer.build(TokenizerConfig(level=level, split=split), [text])
    config = NetworkConfig(tokens.vocab_size, embed=8, hidden=12)
    training = {
        "corpus": "toy.txt",
        "sha256": "ab" * 32,
        "train": {"chars": 900, "bytes": 900, "lines": 20, "tokens": 900, "oov": 1},
        "best": {"bits_per_char": 2.5, "perplexity": 6.5, "perplexity_excluding_oov": 6, "oov": 3},
        "step": 7,
        "settings": {"seed": 1, "lr": 0.003, "patience": 0},
        "version": "0.1.0",
    }
    file = model_file.ModelFile(
        "recurrent", config.as_dict(), tokens, random_tensors(config), training
    )
    model_file.write(path, file)
    return path


@dataclass(frozen=True)
class Result:
    """What a command did."""

    code: int
    out: str
    err: str


@dataclass
class Cli:
    """Runs commands in this process, on a model."""

    model: Path | None
    capture: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch

    def __call__(self, *args: str | Path, stdin: bytes | None = None) -> Result:
        if self.model is None:
            self.patch.delenv("CHARLM_MODEL", raising=False)
        else:
            self.patch.setenv("CHARLM_MODEL", str(self.model))
        if stdin is not None:
            self.patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8"))
        self.capture.readouterr()
        code = main([str(arg) for arg in args])
        captured = self.capture.readouterr()
        return Result(code, captured.out, captured.err)

    def fails(self, *args: str | Path, stdin: bytes | None = None) -> str:
        """Run what must end with exit code 2 and one line on stderr; return that line."""
        result = self(*args, stdin=stdin)
        assert result.code == 2, result
        assert result.out == ""
        lines = result.err.splitlines()
        assert len(lines) == 1, result.err
        assert lines[0].startswith("error: ")
        return lines[0].removeprefix("error: ")


def environment(model: Path, **more: str) -> dict[str, str]:
    """For a process of its own."""
    kept = {
        k: v
        for k, v in os.environ.items()
        if k not in ("NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS", "LINES")
    }
    root = str(ROOT)
    return kept | {"PYTHONPATH": root, "CHARLM_MODEL": str(model), "PYTHONUTF8": "1"} | more


def run(
    model: Path, *args: str, stdin: bytes = b"", shell: str | None = None, **env: str
) -> subprocess.CompletedProcess[bytes]:
    """A command in a process of its own; `shell` is a script in which $CHARLM is the command."""
    command = [sys.executable, "-m", "charlm", *args]
    surroundings = environment(model, CHARLM=f"{sys.executable} -m charlm", **env)
    line = ["bash", "-c", shell] if shell else command
    return subprocess.run(line, input=stdin, env=surroundings, capture_output=True, timeout=60)


def on_terminal(model: Path, *args: str, columns: int = 80, program: str = "", **env: str) -> str:
    """Run a command (or a Python program) on a terminal; everything that it wrote there."""
    import fcntl
    import pty
    import struct
    import termios

    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    what = ["-c", program] if program else ["-m", "charlm", *args]
    command = [sys.executable, *what]
    surroundings = environment(model, TERM="xterm-256color", **env)
    with subprocess.Popen(command, env=surroundings, stdin=child, stdout=child, stderr=child):
        os.close(child)
        written = b""
        try:
            while block := os.read(parent, 65536):
                written += block
        except OSError:  # Linux's way to say that the other side is closed
            pass
    os.close(parent)
    return written.decode("utf-8").replace("\r\n", "\n")
