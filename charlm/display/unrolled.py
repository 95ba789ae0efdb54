"""A recurrent network unrolled in time: a column for every step, a row for every layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .diagram import Diagram

WIDE, GAP = 74.0, 16.0  # pixels, of a column and between two
TALL, RISE = 24.0, 26.0  # of a box, and between two rows
MARGIN, LETTER = 10.0, 8.0  # around the picture; of the rows' names, on the left


@dataclass(frozen=True)
class Column:
    """One step: what is read, the states after it, what is answered."""

    read: str  # "": nothing
    states: tuple[Sequence[float], ...]  # by row, bottom up, −1 to 1
    answer: str = ""  # "": none
    level: float = 0.0  # 0 to 1, how strongly the answer's box is filled
    fed_back: bool = False  # what is read is the answer of the step before


def unrolled(
    columns: Sequence[Column],
    names: Sequence[str],
    *,
    backward: Sequence[int] = (),
    upright: Sequence[int] = (),
    reads: str = "x",
    answers: str = "ŷ",
    recurrent: bool = True,
) -> Diagram:
    """The whole network.

    names: of the rows of states, bottom up. backward: rows that are read from the right, beside
    the row below instead of above it. upright: rows without a link between steps, such as further
    layers of the output.
    """
    rows = len(names)
    height = 2 * MARGIN + (rows + 2) * TALL + (rows + 1) * RISE
    labels = [reads, *names, answers]
    room = 12 + LETTER * max(map(len, labels))
    width = 2 * MARGIN + room + len(columns) * (WIDE + GAP) - GAP
    found = Diagram(width, height)
    bottom = height - MARGIN - TALL  # top edge of the lowest row

    def top_of(row: int) -> float:
        return bottom - row * (TALL + RISE)

    for row, name in enumerate(labels):
        found.label(MARGIN, top_of(row) + TALL / 2, name, anchor="start", room=room - 8)
    lefts = [MARGIN + room + k * (WIDE + GAP) for k in range(len(columns))]
    if backward:  # lines that pass behind the row between
        for left, one in zip(lefts, columns, strict=True):
            behind = left + WIDE / 4
            found.arrow((behind, bottom), (behind, top_of(rows) + TALL))
            if one.answer:
                ahead = left + 3 * WIDE / 4
                found.arrow((ahead, top_of(rows - 1)), (ahead, top_of(rows + 1) + TALL))
    last = max(k for k, one in enumerate(columns) if one.states)
    for k, (left, one) in enumerate(zip(lefts, columns, strict=True)):
        middle = left + WIDE / 2
        if one.read:
            found.box(left, bottom, WIDE, TALL, one.read, level=0)
        for row, values in enumerate(one.states, start=1):
            if row - 1 not in backward and (row > 1 or one.read):
                found.arrow((middle, top_of(row - 1)), (middle, top_of(row) + TALL))
            if recurrent and row - 1 not in upright and k < last:
                y, here, there = top_of(row) + TALL / 2, left + WIDE, left + WIDE + GAP
                ends = ((there, y), (here, y)) if row - 1 in backward else ((here, y), (there, y))
                found.arrow(*ends)
            found.strip(left, top_of(row), WIDE, TALL, values)
        if one.answer:
            top = top_of(rows + 1)
            found.box(left, top, WIDE, TALL, one.answer, level=one.level)
            found.arrow((middle, top_of(rows)), (middle, top + TALL))
        if one.fed_back and k:
            _feed(found, left, top_of(rows + 1), bottom)
    return found


def _feed(found: Diagram, left: float, top: float, bottom: float) -> None:
    """What was answered is read next: dashed, between two columns."""
    x = left - GAP / 2
    found.arrow(
        (left - GAP, top + TALL / 2),
        (x, top + TALL / 2),
        (x, bottom + TALL / 2),
        (left, bottom + TALL / 2),
        dashed=True,
    )
