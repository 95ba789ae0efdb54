"""Renew what README.md says that commands print.

    python tests/readme.py            blocks that need no model: help
    python tests/readme.py --train    … and those after a training, which it does: a minute or two,
                                      on a machine that has nothing else to do

A block is what stands in README between `<!-- output -->`, or `<!-- output after training -->`, and
`<!-- end -->`. Its lines that begin with `$ ` are run from top to bottom, block by block, and what
each prints is put below it. Only `charlm` is run, without a shell.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from textwrap import indent

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
BLOCK = re.compile(
    r"(?P<begin><!-- output(?P<training> after training)? -->\n+(?:```console\n)?)"
    r"(?P<body>.*?\n)"
    r"(?P<end>(?:```\n)?\n*<!-- end -->)",
    re.DOTALL,
)
COMMAND = re.compile(r"^(?P<margin> *)\$ (?P<command>(?:.*\\\n)*.*)$", re.MULTILINE)
LOG_LINE = re.compile(r" *\d+%  loss |step [\d,]+: validation ")  # how training goes

Run = Callable[[str], str]  # what a command prints


def renewed(text: str, run: Run, *, training: bool) -> str:
    """The text with its blocks run anew; those after a training only where `training` says so."""

    def block(found: re.Match[str]) -> str:
        if found["training"] and not training:
            return found[0]
        shown = (
            f"{command[0]}\n{indent(run(command['command']), command['margin'])}"
            for command in COMMAND.finditer(found["body"])
        )
        return found["begin"] + "\n".join(shown) + found["end"]

    return BLOCK.sub(block, text)


def run_in(place: Path) -> Run:
    """How to run commands in the directory `place`, in which data/ is that of the repository."""
    shutil.copytree(ROOT / "data", place / "data")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CHARLM")}
    environment = kept | {
        "PYTHONPATH": str(ROOT),
        "PYTHONUTF8": "1",
        "COLUMNS": "80",
        "NO_COLOR": "1",
    }

    def run(command: str) -> str:
        program, *args = shlex.split(command.replace("\\\n", ""))
        if program != "charlm":
            raise ValueError(f"a block of README may run charlm only, not {command!r}")
        done = subprocess.run(
            [sys.executable, "-m", "charlm", *args],
            cwd=place,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        if done.returncode:
            raise ValueError(f"{command!r} ended with exit code {done.returncode}: {done.stdout}")
        lines = (line.rstrip() for line in done.stdout.splitlines() if not LOG_LINE.match(line))
        return "\n".join(lines) + "\n"

    return run


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        text = README.read_text("utf-8")
        text = renewed(text, run_in(Path(place)), training="--train" in sys.argv[1:])
        README.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
