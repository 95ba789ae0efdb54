"""A memory cell and its gates, drawn in letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...cli import show

if TYPE_CHECKING:
    from ...lab.cell import Hand, Step


def frame(hand: Hand, step: Step, head: str) -> list[str]:
    """The cell at one step, drawn in letters, at most 80 columns wide."""
    gates = {name: _gate(getattr(step, name)) for name in "ifo"}
    held = [
        f"RNN, w = {w:g}: {show.number(value)}"
        for w, value in zip(hand.weights, step.held, strict=True)
    ]
    middle = (
        f"  x {show.number(step.x):>6} ── i {gates['i']} ──▶ │ c {show.number(step.c):>10} │"
        f" ── o {gates['o']} ──▶ y {show.number(step.y)}"
    )
    keep = f" f {gates['f']} "
    left = middle.index("│")
    wide = middle.index("│", left + 1) - left - 1
    return [
        f"{head}: {step.name}",
        "",
        f"{' ' * left}┌{keep.center(wide, '─')}┐",
        middle,
        f"{' ' * left}└{'─' * wide}┘",
        f"  {' · '.join(held)}",
    ]


def _gate(value: float) -> str:
    return "open" if value == 1 else "shut" if value == 0 else f"{value:4.2f}"
