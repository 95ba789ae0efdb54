"""`--items`: a file with a row for every item that a verb has scored."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ..display.delimited import delimited
from ..display.readable import count
from ..errors import CharlmError
from .talk import note

STARTS = (["id", "phenomenon"], ["item", "condition"])  # columns of the files that are written
Items = Annotated[
    str | None,
    typer.Option(
        "--items",
        metavar="FILE",
        help="Also write a row for every item to a file: TSV, or CSV if it ends so.",
        show_default=False,
    ),
]


def check_items(items: str | None, read: Iterable[str | None], force: bool) -> None:
    """Raise CharlmError if there can be no such file, see `output_file.check_new`."""
    from ..system.output_file import check_new

    if items is None:
        return
    if items.lower().endswith((".parquet", ".json", ".jsonl")):
        raise CharlmError(f"--items writes tab-separated values or CSV, not {items}")
    path = Path(items)
    check_new(path, read, force=force or _is_ours(path))


def _is_ours(path: Path) -> bool:
    """Whether a file begins as those that `write_items` writes."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return re.split("[,\t]", file.readline(200))[:2] in STARTS
    except OSError:
        return False


def write_items(items: str | None, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows with the same keys to the file, if one is wanted."""
    if items is None:
        return
    from ..system.output_file import writing

    delimiter = "," if items.lower().endswith(".csv") else "\t"
    with writing(Path(items)) as file:
        for line in delimited(list(rows[0]), (list(row.values()) for row in rows), delimiter):
            file.write(f"{line}\n".encode())
    note(f"{count(len(rows), 'row')} in {items}")
