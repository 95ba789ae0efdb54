"""Sentences of a file with the line that each stands on and what the file says beside it.

A table of stimuli has an item, a condition, … beside the sentence. Whoever analyses what a model
makes of the sentences needs them again beside the results.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .records import CSV, TSV, Table, format_of, open_table
from .source import MAX_LINE, TextSource, lines_of
from .unpack import open_bytes


@dataclass(frozen=True)
class Stimulus:
    """A sentence."""

    text: str
    line: int  # of the file, from 1; in tables, that on which its row begins
    metadata: Mapping[str, str] = field(default_factory=dict)  # the row's other columns, by name


def read_stimuli(source: TextSource, longest: int = MAX_LINE) -> Iterator[Stimulus]:
    """The lines of a text, or of a column of it if it is a table (CSV, TSV), empty ones too.

    Only a single table has metadata; several files are one text, of which lines are counted.
    A column without a name is called by its number, column_2, and a name that recurs gets it too.
    Raises CharlmError as `lines_of` and `open_table` do.
    """
    if not is_table(source):
        for number, line in enumerate(lines_of(source, longest), 1):
            yield Stimulus(line, number)
        return
    path, column = source.paths[0], source.column or ""
    kind = format_of(path.name) or CSV
    with open_bytes(path) as stream:
        encoding, errors = source.encoding, source.errors
        yield from _of_table(open_table(path, stream, kind, column, encoding, errors))


def is_table(source: TextSource) -> bool:
    """Whether it is a single table, whose sentences have metadata."""
    one = len(source.paths) == 1 and format_of(source.paths[0].name) in (CSV, TSV)
    return one and source.column is not None


def _distinct(names: list[str]) -> list[str]:
    """Names of columns: those without one have their number, those that recur too."""
    found: list[str] = []
    for number, name in enumerate(names, 1):
        name = name or f"column_{number}"
        found.append(f"{name}_{number}" if name in found else name)
    return found


def _of_table(table: Table) -> Iterator[Stimulus]:
    """Each line of each cell of a table's column; what a row lacks is empty."""
    for line, cells in table.rows:
        width = max(len(table.names), len(cells))
        names = _distinct([*table.names, *[""] * (width - len(table.names))])
        padded = [*cells, *[""] * (width - len(cells))]
        others = dict(zip(names, padded, strict=True))
        del others[names[table.place]]
        for text in cells[table.place].removesuffix("\n").split("\n"):
            yield Stimulus(text.removesuffix("\r"), line, others)
