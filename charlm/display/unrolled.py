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

    names: of the rows of states, bottom up. backward: the rows that are read from the right; an
    answer then comes from the state before its step in the one direction and after it in the other.
    upright: rows without a link between steps, such as dense layers before the output.
    """
    rows = len(names)
    height = 2 * MARGIN + (rows + 2) * TALL + (rows + 1) * RISE
    labels = [reads, *names, answers]
    room = 12 + LETTER * max(map(len, labels))
    width = 2 * MARGIN + room + len(columns) * (WIDE + GAP) - GAP
    found = Diagram(width, height)
    tops = [height - MARGIN - TALL - row * (TALL + RISE) for row in range(rows + 2)]
    lefts = [MARGIN + room + k * (WIDE + GAP) for k in range(len(columns))]
    for top, name in zip(tops, labels, strict=True):
        found.label(MARGIN, top + TALL / 2, name, anchor="start", room=room - 8)
    if backward:
        _both_ways(found, columns, lefts, tops, backward)
    last = max(k for k, one in enumerate(columns) if one.states)
    for k, (left, one) in enumerate(zip(lefts, columns, strict=True)):
        middle = left + WIDE / 2
        if one.read:
            found.box(left, tops[0], WIDE, TALL, one.read)
        for row, values in enumerate(one.states, start=1):
            top, lowest = tops[row], row == 1 or row - 1 == min(backward, default=-1)
            if not lowest or (row == 1 and one.read):
                found.arrow((middle, tops[row - 1]), (middle, top + TALL))
            if recurrent and row - 1 not in upright and k < last:
                here, there = (left + WIDE, top + TALL / 2), (left + WIDE + GAP, top + TALL / 2)
                found.arrow(*((there, here) if row - 1 in backward else (here, there)))
            found.strip(left, top, WIDE, TALL, values)
        if one.answer:
            found.box(left, tops[-1], WIDE, TALL, one.answer, level=one.level)
            if not backward:
                found.arrow((middle, tops[-2]), (middle, tops[-1] + TALL))
        if one.fed_back and k:
            _feed(found, left, tops[-1], tops[0])
    return found


def _both_ways(
    found: Diagram,
    columns: Sequence[Column],
    lefts: Sequence[float],
    tops: Sequence[float],
    backward: Sequence[int],
) -> None:
    """Arrows that pass behind rows: into the lowest backward row, and from both into answers."""
    first, forward_top = min(backward) + 1, tops[min(backward)]
    for k, (left, one) in enumerate(zip(lefts, columns, strict=True)):
        if one.read:
            x = left + WIDE / 4
            found.arrow((x, tops[0]), (x, tops[first] + TALL))
        if one.answer:
            end = tops[-1] + TALL
            if k:
                found.arrow((lefts[k - 1] + 0.7 * WIDE, forward_top), (left + 0.3 * WIDE, end))
            if k + 1 < len(columns):
                found.arrow((lefts[k + 1] + 0.3 * WIDE, tops[-2]), (left + 0.7 * WIDE, end))


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
