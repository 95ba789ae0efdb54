"""Work the gates of a memory cell by keys, on a terminal."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...cli import show
from ..keys import pressed_keys
from .cell_frame import frame

if TYPE_CHECKING:
    from ...lab.cell import Gates, Hand

HELP = "i f o: open or shut a gate · digits: x · space: a step · enter: ten · q: end"
NUMBER = re.compile(r"-?\d*\.?\d*")  # also one that has only been begun
MAX_DIGITS = 8  # of x, with its sign and point


@dataclass
class Board:
    """What the keys have set."""

    gates: dict[str, bool] = field(default_factory=lambda: {"i": False, "f": True, "o": False})
    typed: str = "4.2"
    fresh: bool = True  # whether the next digit begins a new number

    @property
    def x(self) -> float:
        return _value(self.typed)

    def press(self, key: str) -> int:
        """Take a key; return the number of steps that it asks for, −1 to end."""
        if key == "q":
            return -1
        if key in self.gates:
            self.gates[key] = not self.gates[key]
        elif key in "0123456789.-":
            self._type(key)
        elif key in ("\x7f", "\b"):
            self.typed, self.fresh = self.typed[:-1], False
        elif key == " ":
            self.fresh = True
            return 1
        elif key in "\r\n":
            self.fresh = True
            return 10
        return 0

    def step(self) -> Gates:
        """What is done at the next step: x is written, or noise arrives at a shut gate."""
        from ...lab.cell import Gates

        i, f, o = (float(self.gates[name]) for name in "ifo")
        return Gates("by hand", i, f, o, self.x if i else None)

    def _type(self, key: str) -> None:
        """Add to x what makes it a number that may be written, and nothing else."""
        from ...lab.cell import LARGEST

        typed = key if self.fresh else self.typed + key
        fits = len(typed) <= MAX_DIGITS and NUMBER.fullmatch(typed)
        if fits and abs(_value(typed)) <= LARGEST:
            self.typed, self.fresh = typed, False


def _value(typed: str) -> float:
    return float(typed) if any(map(str.isdigit, typed)) else 0.0


def work(hand: Hand) -> None:
    """Let the user take steps until q is pressed, or the keys end."""
    from rich.live import Live

    board = Board()
    with (
        pressed_keys("--keys") as pressed,
        Live(console=show.console(), transient=True, auto_refresh=False) as live,
    ):
        live.update(_shown(hand, board), refresh=True)
        for keys in pressed:
            for key in keys:
                count = board.press(key)
                if count < 0:
                    return
                for _ in range(count):
                    hand.step(board.step())
            live.update(_shown(hand, board), refresh=True)


def _shown(hand: Hand, board: Board) -> str:
    from ...lab.cell import Step

    nothing = Step("", 0, 0, 0, 0.0, 0.0, 0.0, tuple(0.0 for _ in hand.weights))
    last = hand.steps[-1] if hand.steps else nothing
    set_now = board.step()
    step = Step("next step", set_now.i, set_now.f, set_now.o, board.x, last.c, last.y, last.held)
    head = f"{show.count(len(hand.steps), 'step')} taken"
    arrives = "" if set_now.i else "noise"
    lines = frame(hand, step, head, arrives)
    return "\n".join([*lines, "", f"  x while i is open: {board.typed}", f"  {HELP}"])
