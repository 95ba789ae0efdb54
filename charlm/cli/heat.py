"""Tokens on a background from pale to deep by surprisal, for terminals."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .show import console, is_terminal

DEEPEST = 12.0  # bits of surprisal that are shown in the deepest colour
SCALE = ((255, 247, 236), (253, 187, 132), (215, 48, 31), (127, 0, 0))  # ColorBrewer's OrRd


def print_line(pieces: Sequence[str], surprisals: Sequence[float], gap: str = "") -> None:
    """The pieces in one paragraph, each on the colour of its surprisal (bits); else nothing.

    Without a terminal there is no colour, and the table that follows says it all.
    """
    if not is_terminal(sys.stdout) or console().no_color:
        return
    from rich.text import Text

    text = Text()
    for piece, bits in zip(pieces, surprisals, strict=True):
        text.append(piece, style=style(bits))
        text.append(gap)
    console().print(text)


def style(bits: float) -> str:
    """Rich's name of the colours for a surprisal: dark on pale, white on deep."""
    place = min(max(bits, 0.0) / DEEPEST, 1.0) * (len(SCALE) - 1)
    k = min(int(place), len(SCALE) - 2)
    red, green, blue = (
        round(low + (high - low) * (place - k))
        for low, high in zip(SCALE[k], SCALE[k + 1], strict=True)
    )
    ink = "black" if red + green + blue > 380 else "bright_white"
    return f"{ink} on rgb({red},{green},{blue})"
