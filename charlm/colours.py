"""Surprisal as a background from pale to deep, wherever tokens are shown on it."""

from __future__ import annotations

from typing import TypeAlias

Rgb: TypeAlias = tuple[int, int, int]  # 0 to 255 each

DEEPEST = 12.0  # bits of surprisal that are shown in the last colour
ON_WHITE: tuple[Rgb, ...] = ((255, 247, 236), (253, 187, 132), (215, 48, 31), (127, 0, 0))  # OrRd
ON_BLACK: tuple[Rgb, ...] = ((32, 30, 34), (94, 42, 26), (214, 84, 32), (255, 220, 160))


def of(bits: float, scale: tuple[Rgb, ...] = ON_WHITE) -> Rgb:
    """The background for a surprisal: between the colours of `scale`, at 0 the first."""
    place = min(max(bits, 0.0) / DEEPEST, 1.0) * (len(scale) - 1)
    k = min(int(place), len(scale) - 2)
    red, green, blue = (
        round(low + (high - low) * (place - k))
        for low, high in zip(scale[k], scale[k + 1], strict=True)
    )
    return red, green, blue


def dark_ink(background: Rgb) -> bool:
    """Whether black is easier to read on it than white (WCAG 2: contrast of luminances)."""
    return luminance(background) > 0.179  # where (L + 0.05) / 0.05 = 1.05 / (L + 0.05)


def luminance(colour: Rgb) -> float:
    """Relative luminance of an sRGB colour, 0 (black) to 1 (white), as WCAG 2 defines it."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (part / 255 for part in colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
