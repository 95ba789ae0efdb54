"""The command line: one file a verb; each parses, calls the library, renders what it returns.

Results go to stdout, everything else to stderr. Exit codes: 0 done, 2 something the user can mend
(one line, `error: …`), 130 interrupted, 141 the reader of a pipe left, 1 a bug (traceback).
"""

from __future__ import annotations

from collections.abc import Sequence


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line `args` (default: this process's) and return its exit code."""
    from .app import main as run

    return run(args)
