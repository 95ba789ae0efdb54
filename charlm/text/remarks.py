"""Remarks on how the files of a text were read."""

from __future__ import annotations

from .records import CSV, JSON, TSV, format_of
from .source import TextSource


def left_out(source: TextSource) -> str:
    """The remark on files that were left out."""
    names = [path.name for path in source.left_out]
    files = (
        "1 file that is not text was"
        if len(names) == 1
        else f"{len(names):,} files that are not text were"
    )
    listed = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    return f"{source.name}: {files} left out ({listed})"


def read_as_it_stands(source: TextSource) -> str:
    """The remark on files of records that are read whole, as text; "" if there are none."""
    for path in source.paths:
        kind = format_of(path.name)
        if kind == JSON and source.field is None:
            return f"{path.name} is read as it stands, braces and all; `field` takes a field of it"
        if kind in (CSV, TSV) and source.column is None:
            return f"{path.name} is read as it stands, with all its columns; `column` takes one"
    return ""
