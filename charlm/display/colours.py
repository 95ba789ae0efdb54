"""Colour scales for tokens: surprisal from pale to deep, a signed value from blue to red."""

from __future__ import annotations

from typing import TypeAlias

Rgb: TypeAlias = tuple[int, int, int]  # 0 to 255 each

MAX_BITS = 12.0  # bits of surprisal, from which on the last colour is used
ON_WHITE: tuple[Rgb, ...] = ((255, 247, 236), (253, 187, 132), (215, 48, 31), (127, 0, 0))  # OrRd
ON_BLACK: tuple[Rgb, ...] = ((32, 30, 34), (94, 42, 26), (214, 84, 32), (255, 220, 160))
# negative, zero, positive
SIGNED_ON_WHITE: tuple[Rgb, ...] = ((67, 147, 195), (255, 255, 255), (214, 96, 77))
SIGNED_ON_BLACK: tuple[Rgb, ...] = ((33, 102, 172), (22, 24, 28), (178, 24, 43))


def surprisal_colour(bits: float, scale: tuple[Rgb, ...] = ON_WHITE) -> Rgb:
    """The background for a surprisal: 0 is the first colour of `scale`, MAX_BITS the last."""
    return interpolate(bits / MAX_BITS, scale)


def signed_colour(value: float, scale: tuple[Rgb, ...] = SIGNED_ON_WHITE) -> Rgb:
    """The background for a value from −1 to 1."""
    return interpolate((value + 1) / 2, scale)


def interpolate(fraction: float, scale: tuple[Rgb, ...]) -> Rgb:
    """A colour of `scale`: 0 is the first, 1 the last."""
    position = min(max(fraction, 0.0), 1.0) * (len(scale) - 1)
    k = min(int(position), len(scale) - 2)
    red, green, blue = (
        round(low + (high - low) * (position - k))
        for low, high in zip(scale[k], scale[k + 1], strict=True)
    )
    return red, green, blue


def needs_dark_text(background: Rgb) -> bool:
    """Whether black text is easier to read on it than white (WCAG 2: contrast of luminances)."""
    return luminance(background) > 0.179  # where (L + 0.05) / 0.05 = 1.05 / (L + 0.05)


def luminance(colour: Rgb) -> float:
    """Relative luminance of an sRGB colour, 0 (black) to 1 (white), as WCAG 2 defines it."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (part / 255 for part in colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
