"""Parquet files: a column as a stream of UTF-8, a batch of rows in memory at a time; a table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..display.readable import valid_unicode
from ..errors import CharlmError
from ..system import output_file
from ..system.extras import require_packages
from ..system.version import __version__
from .records import Extracted, column_of
from .unpack import Stream, refuse_expansion

OURS = "charlm"  # in the metadata of tables that are written
WHOLE, NUMBER = re.compile("-?(0|[1-9][0-9]{0,17})"), re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
BATCH_BYTES = 1 << 20  # of text in a batch, on the average
MAX_BATCH_ROWS = 1 << 13


@contextmanager
def open_parquet(path: Path, column: str | None) -> Iterator[Stream]:
    """The texts of a column, by name or number from 1; None: of the only one that holds text.

    Raises CharlmError where there is no such column, the file is damaged, or PyArrow is missing.
    """
    require_packages("reading Parquet", "pyarrow")
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    with path.open("rb") as file:
        try:
            table = parquet.ParquetFile(file, pre_buffer=False, buffer_size=BATCH_BYTES)
            schema = table.schema_arrow
        except (arrow.ArrowException, OSError) as error:
            raise _damaged(path, error) from None
        name = _column(path, schema, column)
        batches = _batches(path, table, name)
        stored, rows = path.stat().st_size, max(1, table.metadata.num_rows)
        done = 0

        def texts() -> Iterator[str]:
            nonlocal done
            size = 0
            for batch in batches:
                done += len(batch)
                for text in batch:
                    if text is not None:
                        size += len(text)
                        yield text
                refuse_expansion(path, stored, size)

        yield Extracted(texts(), lambda: stored * done // rows)


def check_writing(path: Path, read: Iterable[str | None], *, force: bool) -> None:
    """Raise CharlmError if a table cannot be written there, see `output_file.check_new`.

    One that `write` has written is replaced.
    """
    require_packages("writing Parquet", "pyarrow")
    output_file.check_new(path, read, force=force or _is_ours(path))


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a table, of which every row has a value for every name of the first; NaN is null.

    A column of text in which only numbers stand is one of numbers, as in a CSV file that is read.
    """
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    columns = {
        valid_unicode(name): arrow.array(_typed([row.get(name) for row in rows]), from_pandas=True)
        for name in rows[0]
    }
    table = arrow.table(columns).replace_schema_metadata({OURS: __version__})
    with output_file.writing(path) as file:
        parquet.write_table(table, file)


def _typed(values: list[Any]) -> list[Any]:
    """Values of one type: numbers where all are, or where text that is not empty says so."""
    if not any(isinstance(one, str) for one in values):
        return values
    given = [one for one in values if one]
    for pattern, kind in ((WHOLE, int), (NUMBER, float)):
        if given and all(pattern.fullmatch(one) for one in given):
            return [kind(one) if one else None for one in values]
    return [valid_unicode(one) for one in values]


def _is_ours(path: Path) -> bool:
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    try:
        return OURS.encode() in (parquet.read_schema(path).metadata or {})
    except (arrow.ArrowException, OSError):
        return False


def _batches(path: Path, table: Any, name: str) -> Iterator[list[str | None]]:
    import pyarrow as arrow

    metadata = table.metadata
    rows = max(1, metadata.num_rows)
    size = sum(metadata.row_group(k).total_byte_size for k in range(metadata.num_row_groups))
    at_once = max(1, min(MAX_BATCH_ROWS, BATCH_BYTES * rows // max(1, size)))
    try:
        for batch in table.iter_batches(at_once, columns=[name], use_threads=False):
            yield batch.column(0).to_pylist()
    except (arrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _damaged(path, error) from None


def _column(path: Path, schema: Any, column: str | None) -> str:
    from pyarrow import types

    def is_text(kind: Any) -> bool:
        kind = kind.value_type if types.is_dictionary(kind) else kind
        return bool(
            types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
        )

    names: list[str] = schema.names
    texts = [one for one in names if is_text(schema.field(one).type)]
    if column is None:
        if len(texts) != 1:
            if not texts:
                raise CharlmError(f"{path} has no column of text")
            listed = ", ".join(texts)
            raise CharlmError(f"{path}: choose the `column` that holds the text: {listed}")
        return texts[0]
    name = names[column_of(path, names, column)]
    if name not in texts:
        raise CharlmError(f"{path}: the column {name!r} is {schema.field(name).type}, not text")
    return name


def _damaged(path: Path, error: Exception) -> CharlmError:
    reason = str(error).splitlines()[0].rstrip(".")
    return CharlmError(f"{path} is no Parquet file, or damaged: {reason}")
