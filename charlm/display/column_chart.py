"""A chart of columns, as lines of text."""

from __future__ import annotations

from collections.abc import Sequence

UPWARDS = " ▁▂▃▄▅▆▇█"  # by eighths of a line
DOWNWARDS = " ▔▔▀▀▀▀██"
ASCII_UPWARDS = " ...:::##"
ASCII_DOWNWARDS = " '''\"\"\"##"
EIGHTHS = 8


def column_chart(
    heights: Sequence[float], lines: int, *, signed: bool = False, ascii: bool = False
) -> list[str]:
    """Lines of text, the uppermost first, with one column of characters for every height.

    heights: from 0 to 1, which takes all lines. signed: from −1 to 1, with 0 in the middle of an
    even number of lines.
    """
    up, down = (ASCII_UPWARDS, ASCII_DOWNWARDS) if ascii else (UPWARDS, DOWNWARDS)
    zero = "-" if ascii else "▔"
    own = lines // 2 if signed else lines
    above = [_line(heights, own, k, up) for k in reversed(range(own))]
    if not signed:
        return above
    below = [_line([-height for height in heights], own, k, down) for k in range(own)]
    return [*above, below[0].replace(" ", zero), *below[1:]]


def spread(count: int, room: int) -> list[int | None]:
    """Which of `count` values stands in each column of `room`; None for the gaps between bars.

    Where there is room, values are as wide as each other, at most six columns, and those of three
    columns or more stand apart. Where there is not, some are left out.
    """
    if count > room:
        return [column * count // room for column in range(room)]
    wide = min(6, room // count)
    gap = 1 if wide >= 3 else 0
    return [k if part < wide - gap else None for k in range(count) for part in range(wide)]


def _line(heights: Sequence[float], lines: int, k: int, glyphs: str) -> str:
    """The k-th line from zero."""
    eighths = (round(EIGHTHS * (height * lines - k)) for height in heights)
    return "".join(glyphs[min(EIGHTHS, max(0, part))] for part in eighths)
