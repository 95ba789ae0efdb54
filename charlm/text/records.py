"""One text out of files of records: a field of JSON lines, a column of a table.

What a file is follows from its name. Each record's text is closed by a newline, so that records
never run together; one of several lines stays several lines, a null is left out, and one that is
empty is an empty line.
"""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import CharlmError
from .decoding import nul_error, nul_is_wrong, undecodable
from .pieces import utf8
from .unpack import Stream, without_compression

JSON, CSV, TSV, PARQUET = "JSON lines", "CSV", "TSV", "Parquet"
FORMATS = {
    ".jsonl": JSON,
    ".ndjson": JSON,
    ".json": JSON,
    ".csv": CSV,
    ".tsv": TSV,
    ".tab": TSV,
    ".parquet": PARQUET,
    ".pq": PARQUET,
}
BLOCK_BYTES = 1 << 16  # read at a time
MAX_RECORD_CHARS = 1 << 26  # of a line, and of a cell
SAMPLE_CHARS = 1 << 20  # of tab-separated values, to see whether their quotes are CSV's
DELIMITERS = {CSV: ",;\t|", TSV: "\t"}  # the likeliest first


def format_of(name: str) -> str | None:
    """Of what format a file of this name is, compressed or not; None: it is text as it stands."""
    return FORMATS.get(named_suffix(name))


def named_suffix(name: str) -> str:
    """The ending of a file's name that says its format; "" if none does."""
    suffix = Path(without_compression(name.lower())).suffix
    return suffix if suffix in FORMATS else ""


class Extracted:
    """The texts of records as a stream of UTF-8."""

    def __init__(self, texts: Iterator[str], tell: Callable[[], int]) -> None:
        self._texts, self._held = texts, bytearray()
        self.tell = tell

    def read(self, size: int, /) -> bytes:
        if len(self._held) < size:
            wanted, texts = size - len(self._held), []
            for text in self._texts:
                texts.append(text if text.endswith("\n") else text + "\n")
                wanted -= len(text)
                if wanted <= 0:
                    break
            self._held += utf8("".join(texts))
        block = bytes(self._held[:size])
        del self._held[:size]
        return block


def from_json(path: Path, stream: Stream, field: str, encoding: str, errors: str) -> Iterator[str]:
    """The texts of a field of JSON lines; dots lead to fields of fields.

    Raises CharlmError naming the first line that is no JSON object or has no text there.
    """
    decode = json.JSONDecoder().raw_decode  # `json.loads` without half of its time
    for number, line in enumerate(_lines(path, _decoded(path, stream, encoding, errors)), 1):
        line = line.strip(" \t\r\n")
        if not line:
            continue
        try:
            record, end = decode(line)
            if end < len(line):
                raise ValueError("more than one value")
            value = _value(record, field)
        except (ValueError, RecursionError):
            whole = number == 1 and line.startswith(("[", "{"))
            hint = ": JSON lines have one object per line" if whole else ""
            raise CharlmError(f"{path}, line {number}: not valid JSON{hint}") from None
        except LookupError as missing:
            raise CharlmError(f"{path}, line {number}: {missing.args[0]}") from None
        if value is not None:
            yield value


class Row(NamedTuple):
    """A row of a table."""

    line: int  # of the file on which it begins, from 1
    cells: list[str]


class Table(NamedTuple):
    """A CSV or TSV file, read row by row; every row has the column that is asked for."""

    place: int  # of that column
    names: list[str]  # of all columns; none where the first row holds none
    rows: Iterator[Row]


def from_table(
    path: Path, stream: Stream, format: str, column: str, encoding: str, errors: str
) -> Iterator[str]:
    """The texts in a column of a CSV or TSV file; see `open_table`."""
    place, _, rows = open_table(path, stream, format, column, encoding, errors)
    for row in rows:
        yield row.cells[place]


def open_table(
    path: Path, stream: Stream, format: str, column: str, encoding: str, errors: str
) -> Table:
    """A CSV or TSV file, of which empty lines are left out.

    column: a name, which stands in the first row, or the number of a column in a file without names
    (1 is the first). Raises CharlmError where there is no such column or quotes are wrong.
    """
    csv.field_size_limit(max(MAX_RECORD_CHARS, csv.field_size_limit()))
    lines = _lines(path, _decoded(path, stream, encoding, errors))
    first = next(lines, None)
    if first is None:
        return Table(0, [], iter(()))
    delimiter = _delimiter(first, format, column)
    lines = chain([first], lines)
    if delimiter == "\t":
        quoted, lines = _is_quoted(lines)
    else:
        quoted = True
    rows = _rows(path, lines, format, delimiter) if quoted else _split(lines, delimiter)
    head = next((row for row in rows if row.cells not in ([], [""])), Row(1, []))
    place, named = _place(path, head.cells, column)
    names = head.cells if named else []
    return Table(place, names, _having(path, rows if named else chain([head], rows), place))


def _rows(path: Path, lines: Iterator[str], format: str, delimiter: str) -> Iterator[Row]:
    """The rows of a file with quotes. Raises CharlmError where these are wrong."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            yield Row(line, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        raise CharlmError(f"{path}, line {line}: not valid {format} ({error})") from None


def _split(lines: Iterator[str], delimiter: str) -> Iterator[Row]:
    """The rows of a file in which a quote is a character like any other."""
    for number, line in enumerate(lines, 1):
        yield Row(number, line.rstrip("\r\n").split(delimiter))


def _having(path: Path, rows: Iterator[Row], place: int) -> Iterator[Row]:
    """Those that are not empty. Raises CharlmError for one without a column at `place`."""
    for row in rows:
        if place < len(row.cells):
            yield row
        elif row.cells and row.cells != [""]:
            raise CharlmError(
                f"{path}, line {row.line}: there is no column {place + 1}, only {len(row.cells)}"
            )


def column_of(path: Path, names: list[str], column: str) -> int:
    """Where among `names` the column stands that is meant by its name, or its number from 1."""
    if column in names:
        return names.index(column)
    if column.isdecimal() and 0 < int(column) <= len(names):
        return int(column) - 1
    listed = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
    raise CharlmError(f"{path} has no column {column!r}. It has: {listed}")


def _value(record: Any, field: str) -> str | None:
    """The text in a field of a record. Raises LookupError saying what is there instead."""
    if not isinstance(record, dict):
        raise LookupError("a JSON object should stand here")
    value: Any = record
    for part in [field] if field in record else field.split("."):
        if value is None:
            return None
        if not isinstance(value, dict) or part not in value:
            listed = f" (there are: {', '.join(value)})" if isinstance(value, dict) else ""
            raise LookupError(f"there is no field {field!r}{listed}")
        value = value[part]
    if value is not None and not isinstance(value, str):
        raise LookupError(f"the field {field!r} is not text, but {json.dumps(value)[:40]}")
    return value


def _delimiter(first: str, format: str, column: str) -> str:
    """What stands between cells: that by which the first row has the column's name in it.

    Of CSV without names, what there is most of: a tab, say, in a table from stdin.
    """
    for delimiter in DELIMITERS[format] if not column.isdecimal() else "":
        with suppress(csv.Error):  # whoever reads the row says what is wrong with it
            if column in next(csv.reader([first], delimiter=delimiter), []):
                return delimiter
    likeliest = max(DELIMITERS[CSV], key=first.count)  # the first of several
    return "\t" if format == TSV else likeliest if first.count(likeliest) else ","


def _place(path: Path, row: list[str], column: str) -> tuple[int, bool]:
    """Where the column stands, and whether `row`, the first, holds names."""
    if not column.isdecimal():
        return column_of(path, row, column), True
    if int(column) == 0:
        raise CharlmError("`column` counts from 1: there is no column 0")
    return int(column) - 1, False


def _is_quoted(lines: Iterator[str]) -> tuple[bool, Iterator[str]]:
    """Whether the quotes between tabs are those of CSV; and the lines again.

    They are where all of the first SAMPLE_CHARS can be read so. Otherwise a quote is a character
    like any other, as in most corpora.
    """
    sample, size = [], 0
    for line in lines:
        sample.append(line)
        size += len(line)
        if size > SAMPLE_CHARS:
            break
    quoted = any('"' in line for line in sample)
    if quoted:
        try:
            for _ in csv.reader(sample, delimiter="\t", strict=True):
                pass
        except csv.Error as error:
            quoted = size > SAMPLE_CHARS and "end of data" in str(error)
    return quoted, chain(sample, lines)


def _decoded(path: Path, stream: Stream, encoding: str, errors: str) -> Iterator[str]:
    """The characters of a file, without its byte order mark."""
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    refuse_nul, at, block, opening = nul_is_wrong(encoding), 0, b"-", True
    while block:
        block = stream.read(BLOCK_BYTES)
        if refuse_nul and b"\0" in block:
            raise nul_error(path, at + block.index(0))
        at += len(block)
        try:
            text = decoder.decode(block, not block)
        except UnicodeError as error:
            raise undecodable(path, encoding, at, error) from None
        if opening and text:
            opening = False
            text = text.removeprefix("\ufeff")
        yield text


def _lines(path: Path, chunks: Iterable[str]) -> Iterator[str]:
    """The lines of a file with what ends them. Raises CharlmError on one that is too long."""
    begun: list[str] = []
    size = 0
    for chunk in chunks:
        first, *others = chunk.split("\n")
        begun.append(first)
        size += len(first)
        if size > MAX_RECORD_CHARS:
            raise CharlmError(
                f"{path} holds a line of more than {MAX_RECORD_CHARS:,} characters: "
                "it is not a file of records"
            )
        if others:
            yield "".join(begun) + "\n"
            for line in others[:-1]:
                yield line + "\n"
            begun, size = [others[-1]], len(others[-1])
    if last := "".join(begun):
        yield last
