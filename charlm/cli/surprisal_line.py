"""Print tokens coloured by surprisal, on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ..display import colours
from .show import console, is_terminal


def print_line(pieces: Sequence[str], surprisals: Sequence[float], gap: str = "") -> None:
    """Print the pieces in one paragraph, each coloured by its surprisal (bits).

    Prints nothing without a terminal: the table that follows has the numbers.
    """
    if not coloured():
        return
    from rich.text import Text

    text = Text()
    for piece, bits in zip(pieces, surprisals, strict=True):
        text.append(piece, style=on(colours.surprisal_colour(bits)))
        text.append(gap)
    console().print(text)


def coloured() -> bool:
    """Whether stdout shows colours."""
    return is_terminal(sys.stdout) and not console().no_color


def on(background: colours.Rgb) -> str:
    """Rich's style for a background with readable text on it."""
    red, green, blue = background
    ink = "black" if colours.needs_dark_text(background) else "bright_white"
    return f"{ink} on rgb({red},{green},{blue})"
