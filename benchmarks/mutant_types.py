"""mypy on the mutants that mutmut has written, in the form in which mutmut wants to read it.

    python benchmarks/mutant_types.py mypy FILE…

What mypy says of a function before it is changed (mutmut's wrapping hides some types) is left out:
only what a change brings is an error that `make lint` would have shown.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

UNCHANGED = "__mutmut_orig"


def mutants(path: str) -> list[tuple[int, int, str]]:
    """First and last line of every copy of a function in the file, and its name."""
    return [
        (node.lineno, node.end_lineno or node.lineno, node.name)
        for node in ast.walk(ast.parse(Path(path).read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and "__mutmut_" in node.name
    ]


def function(name: str) -> str:
    """What the copies of a function have in common."""
    return name.rpartition("__mutmut_")[0]


def main(command: list[str]) -> None:
    """Run the command, and print those of its errors that are of changes."""
    options = ["--output", "json", "--no-warn-unused-ignores"]
    done = subprocess.run([command[0], *options, *command[1:]], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr or done.stdout)
    errors: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines() if line]
    copies = {path: mutants(path) for path in {error["file"] for error in errors}}
    found = [
        (error, name)
        for error in errors
        for first, last, name in copies[error["file"]]
        if error["severity"] == "error" and first <= error["line"] <= last
    ]
    known = {(function(name), e["message"]) for e, name in found if name.endswith(UNCHANGED)}
    for error, name in found:
        if (function(name), error["message"]) not in known:
            print(json.dumps(error))


if __name__ == "__main__":
    main(sys.argv[1:])
