"""Print results: numbers, aligned columns, JSON, TSV and CSV. Everything here goes to stdout.

A terminal gets colour and wrapped lines; a pipe gets plain, untruncated lines.
"""

from __future__ import annotations

import json
import math
import shutil
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from typing import IO, TYPE_CHECKING, Any

from ..display.column_chart import column_chart
from ..display.delimited import delimited
from ..display.readable import count as count
from ..display.readable import fixed
from ..display.readable import keep_lines as keep_lines
from ..display.readable import one_line as one_line
from ..display.readable import size as size
from ..display.readable import valid_unicode as valid_unicode

if TYPE_CHECKING:
    from rich.console import Console

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


# Where output goes ----------------------------------------------------------------------------


def is_terminal(stream: IO[str] | None) -> bool:
    """Whether a person is looking at `stream`."""
    return stream is not None and stream.isatty()


def width() -> int:
    """Columns of the terminal."""
    return shutil.get_terminal_size((80, 24)).columns


@cache
def console(stderr: bool = False) -> Console:
    """The rich console, created on first use, so that plain pipes do not import rich."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def line(text: str = "", style: str = "") -> None:
    """One line of a result on stdout, in `style` (rich's names) where that is a terminal.

    A terminal gets control characters, which may come from a file, as symbols.
    """
    if is_terminal(sys.stdout):
        text = keep_lines(text)
    if style and is_terminal(sys.stdout):
        from rich.text import Text

        console().print(Text(text, style=style), soft_wrap=True)
    else:
        sys.stdout.write(text + "\n")


def emit_json(value: Any) -> None:
    """`value` as JSON on stdout: one line in a pipe, indented on a terminal.

    NaN and infinities, which JSON lacks, become null; lone surrogates become U+FFFD.
    """
    indent = 2 if is_terminal(sys.stdout) else None
    line(json_text(value, ascii_only=not _is_utf8(), indent=indent))


def json_text(value: Any, *, ascii_only: bool = False, indent: int | None = None) -> str:
    """`value` as JSON, as `emit_json` prints it."""
    return json.dumps(_plain(value), ensure_ascii=ascii_only, allow_nan=False, indent=indent)


def emit_table(
    headings: Sequence[str], rows: Iterable[Sequence[object]], delimiter: str = "\t"
) -> None:
    """Delimited values on stdout, see `display.delimited`."""
    for text in delimited(headings, rows, delimiter):
        line(text)


# Text -----------------------------------------------------------------------------------------


def cells(text: str) -> int:
    """Terminal columns that `text` takes: Chinese characters take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


# Numbers --------------------------------------------------------------------------------------


def number(value: float, places: int = 2) -> str:
    """A number for people to read: 9.71, −54.32, 1,235; ∞; – if undefined."""
    if math.isnan(value):
        return _glyph("–", "-")
    if math.isinf(value):
        return _glyph("∞" if value > 0 else "−∞", "inf" if value > 0 else "-inf")
    if abs(value) >= 1e7:
        sign = "" if value > 0 else _minus()
        return sign + power_of_ten(math.log10(abs(value)))
    return fixed(value, places).replace("-", _minus())


def power_of_ten(log10: float) -> str:
    """10 ** log10 as textbooks write it: 4.1 × 10⁻¹³ (4.1e-13 where output is not Unicode)."""
    if math.isnan(log10) or math.isinf(log10):
        return "0" if log10 == -math.inf else number(log10)
    exponent = math.floor(log10)
    mantissa = f"{10 ** (log10 - exponent):.1f}"
    if mantissa == "10.0":
        mantissa, exponent = "1.0", exponent + 1
    if exponent == 0:
        return mantissa
    if not _is_utf8():
        return f"{mantissa}e{exponent}"
    return f"{mantissa} × 10{str(exponent).translate(_SUPERSCRIPTS)}"


def times(log10: float) -> str:
    """The factor 10 ** log10: ×1,000."""
    if log10 >= 6:
        factor = power_of_ten(log10)
    else:
        value = 10.0**log10
        factor = f"{value:.2f}" if value < 9.995 else f"{value:,.0f}"
    return _glyph("×", "x") + factor


def bar(cells: float) -> str:
    """A horizontal bar of `cells` columns, to an eighth (to a whole one if output is ASCII)."""
    if not _is_utf8():
        return "#" * round(cells)
    eighths = round(cells * 8)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def columns_of(heights: Sequence[float], lines: int, *, signed: bool = False) -> list[str]:
    """A chart of columns, see `display.column_chart`; in ASCII if output is."""
    return column_chart(heights, lines, signed=signed, ascii=not _is_utf8())


# Columns --------------------------------------------------------------------------------------


def columns(rows: Sequence[Sequence[str]], align: str) -> list[str]:
    """Rows of cells as aligned lines, two spaces apart; `align` holds < or > for each column."""
    rows = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(cells(row[k]) for row in rows) for k in range(len(align))]
    return ["  ".join(map(_pad, row, widths, align)).rstrip() for row in rows]


def table(rows: Sequence[Sequence[str]], align: str) -> None:
    """`columns` on stdout, the first row as their heading."""
    head, *lines = columns(rows, align)
    line(head, "dim")
    for text in lines:
        line(text)


def pairs(rows: Iterable[tuple[str, str]]) -> None:
    """Names and values, one per line; long ones are wrapped on a terminal."""
    rows = list(rows)
    wide = max(cells(name) for name, _ in rows)
    for name, value in rows:
        paragraph(f"{name:<{wide}}  {value}", indent=wide + 2, first=0)


def paragraph(text: str, *, indent: int, first: int | None = None, style: str = "") -> None:
    """Text on stdout, wrapped and indented on a terminal; in a pipe one line, however long."""
    first = indent if first is None else first
    if not is_terminal(sys.stdout):
        line(" " * first + text)
        return
    from rich.text import Text

    lead, rest = text[: indent - first], text[indent - first :]
    columns_left = max(20, width() - indent)
    for k, part in enumerate(Text(rest).wrap(console(), columns_left)):
        line((" " * first + lead if k == 0 else " " * indent) + part.plain.rstrip(), style)


def _pad(cell: str, wide: int, align: str) -> str:
    space = " " * (wide - cells(cell))
    return cell + space if align == "<" else space + cell


# Private --------------------------------------------------------------------------------------


def clock(seconds: float) -> str:
    """1:05 or 2:03:09."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _is_utf8() -> bool:
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    return encoding.lower().replace("-", "").replace("_", "") in ("utf8", "utf8sig", "utf16")


def _glyph(unicode: str, ascii: str) -> str:
    return unicode if _is_utf8() else ascii


def _minus() -> str:
    """A minus sign for people to read; programs that read a pipe expect the ASCII one."""
    return "−" if is_terminal(sys.stdout) and _is_utf8() else "-"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return valid_unicode(value)
    if hasattr(value, "item"):  # a NumPy scalar
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
