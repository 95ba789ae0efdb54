"""Tables of delimited values: TSV, CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from .readable import valid_unicode


def delimited(
    headings: Sequence[str], rows: Iterable[Sequence[object]], delimiter: str = "\t"
) -> Iterator[str]:
    """The rows of a table, a heading first, quoted as CSV is (RFC 4180); NaN is an empty cell.

    A row with a line break in a cell spans several lines; none has a final newline.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter)
    for row in chain([headings], rows):
        writer.writerow(map(_cell, row))
        yield buffer.getvalue().removesuffix("\r\n")
        buffer.seek(0)
        buffer.truncate()


def _cell(value: object) -> str:
    undefined = value is None or (isinstance(value, float) and math.isnan(value))
    return "" if undefined else valid_unicode(str(value))
