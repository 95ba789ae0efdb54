"""Work the gates of a memory cell by keys, on a terminal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...cli import show
from ..keys import END, pressed_keys
from .cell_frame import frame

if TYPE_CHECKING:
    from ...lab.cell import Hand

HELP = "i f o: open or shut a gate · digits: x · space: a step · enter: ten · q: end"
MAX_DIGITS = 8  # of x


@dataclass
class Board:
    """What the keys have set."""

    gates: dict[str, bool] = field(default_factory=lambda: {"i": False, "f": True, "o": False})
    typed: str = "4.2"
    fresh: bool = True  # whether the next digit begins a new number

    @property
    def x(self) -> float:
        try:
            return float(self.typed)
        except ValueError:  # such as "-"
            return 0.0

    def press(self, key: str) -> int:
        """Take a key; return the number of steps that it asks for, −1 to end."""
        if key in ("q", *END):
            return -1
        if key in self.gates:
            self.gates[key] = not self.gates[key]
        elif key in "0123456789.-":
            self.typed = ("" if self.fresh else self.typed)[: MAX_DIGITS - 1] + key
            self.fresh = False
        elif key in ("\x7f", "\b"):
            self.typed, self.fresh = self.typed[:-1], False
        elif key == " ":
            self.fresh = True
            return 1
        elif key in "\r\n":
            self.fresh = True
            return 10
        return 0


def work(hand: Hand) -> None:
    """Let the user take steps until q is pressed."""
    from rich.live import Live

    from ...lab.cell import Gates, Step

    board = Board()
    nothing = tuple(0.0 for _ in hand.weights)
    with (
        pressed_keys("--keys") as pressed,
        Live(console=show.console(), transient=True, auto_refresh=False) as live,
    ):

        def shown() -> str:
            i, f, o = (float(board.gates[name]) for name in "ifo")
            last = hand.steps[-1] if hand.steps else Step("", 0, 0, 0, 0.0, 0.0, 0.0, nothing)
            set_now = Step("next step", i, f, o, board.x, last.c, last.y, last.held)
            head = f"{show.count(len(hand.steps), 'step')} taken"
            return "\n".join([*frame(hand, set_now, head), "", f"  {HELP}"])

        live.update(shown(), refresh=True)
        for key in pressed:
            count = board.press(key)
            if count < 0:
                break
            for k in range(count):
                i, f, o = (float(board.gates[name]) for name in "ifo")
                hand.step(Gates("by hand", i, f, o, board.x if i and k == 0 else None))
            live.update(shown(), refresh=True)
