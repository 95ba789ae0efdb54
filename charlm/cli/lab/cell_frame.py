"""A memory cell and its gates, drawn in letters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...cli import show

if TYPE_CHECKING:
    from ...lab.cell import Hand, Step

WIDEST = 76  # columns that the cell may take when drawn from left to right


def frame(hand: Hand, step: Step, head: str, x: str = "") -> list[str]:
    """The cell at one step, no wider than the terminal. `x` stands in place of the step's own."""
    arrives = x or show.number(step.x)
    draw = _across if show.width() >= WIDEST else _downwards
    held = (
        f"RNN, w = {w:g}: {show.number(value)}"
        for w, value in zip(hand.weights, step.held, strict=True)
    )
    return [f"{head}: {step.name}", "", *draw(step, arrives), *_packed(held)]


def _across(step: Step, x: str) -> list[str]:
    i, f, o = _gates(step)
    middle = (
        f"  x {x:>6} ── i {i} ──▶ │ c {show.number(step.c):>10} │"
        f" ── o {o} ──▶ y {show.number(step.y)}"
    )
    left = middle.index("│")
    wide = middle.index("│", left + 1) - left - 1
    return [
        f"{' ' * left}┌{f' f {f} '.center(wide, '─')}┐",
        middle,
        f"{' ' * left}└{'─' * wide}┘",
    ]


def _downwards(step: Step, x: str) -> list[str]:
    i, f, o = _gates(step)
    middle = f" c {show.number(step.c):>10} "
    return [
        f"  x {x}",
        f"    │ i {i}",
        "    ▼",
        f"  ┌{f' f {f} '.center(len(middle), '─')}┐",
        f"  │{middle}│",
        f"  └{'─' * len(middle)}┘",
        f"    │ o {o}",
        "    ▼",
        f"  y {show.number(step.y)}",
    ]


def _gates(step: Step) -> list[str]:
    return [
        "open" if value == 1 else "shut" if value == 0 else f"{value:4.2f}"
        for value in (step.i, step.f, step.o)
    ]


def _packed(items: Iterable[str]) -> list[str]:
    """As many items on each line as it has room for."""
    lines: list[str] = []
    for item in items:
        if lines and len(lines[-1]) + len(item) + 3 <= show.width():
            lines[-1] += f" · {item}"
        else:
            lines.append(f"  {item}")
    return lines
