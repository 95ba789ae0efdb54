"""Tokens on a background from pale to deep by surprisal, for terminals."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ..display import colours
from .show import console, is_terminal


def print_line(pieces: Sequence[str], surprisals: Sequence[float], gap: str = "") -> None:
    """The pieces in one paragraph, each on the colour of its surprisal (bits); else nothing.

    Without a terminal there is no colour, and the table that follows says it all.
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
    """Rich's name of a background with the ink that can be read on it."""
    red, green, blue = background
    ink = "black" if colours.needs_dark_text(background) else "bright_white"
    return f"{ink} on rgb({red},{green},{blue})"
