"""The command line: one file per verb; each parses, calls the library, and renders the result.

Results go to stdout, everything else to stderr. Exit codes: 0 done, 2 an error that the user can
fix (one line, `error: …`), 130 interrupted, 141 broken pipe, 1 a bug (traceback).
"""

from __future__ import annotations

from collections.abc import Sequence


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line `args` (default: this process's) and return its exit code."""
    from .app import main as run

    return run(args)
