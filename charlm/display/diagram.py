"""Diagrams of boxes, arrows and coloured numbers, as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from . import colours
from .html_page import Html, element, join, text

FONT = 'system-ui, "Noto Sans", "DejaVu Sans", "Noto Sans CJK SC", sans-serif'
HEAD = 6.0  # pixels, of an arrow
PAPER = "background: #ffffff; color: #1c2026"  # of a picture that stands alone
GENERATOR = "drawn by charlm"


@dataclass
class Diagram:
    """What has been drawn so far; lengths are pixels, y grows downwards."""

    width: float
    height: float
    parts: list[Html] = field(default_factory=list)

    def box(
        self, x: float, y: float, w: float, h: float, shown: str = "", *, level: float = 0.0
    ) -> None:
        """A box with text in its middle; level, 0 to 1: how strongly it is filled."""
        fill = "none" if level <= 0 else colour(level)
        self._add("rect", x=x, y=y, width=w, height=h, rx=4, fill=fill, stroke="currentColor")
        ink = "currentColor" if level <= 0 else _ink(level)
        if shown:
            self.label(x + w / 2, y + h / 2, shown, ink=ink, room=w - 6)

    def circle(self, x: float, y: float, shown: str, r: float = 10) -> None:
        """A pointwise operation."""
        self._add("circle", cx=x, cy=y, r=r, fill="none", stroke="currentColor")
        self.label(x, y, shown, size=13)

    def strip(self, x: float, y: float, w: float, h: float, values: Sequence[float]) -> None:
        """Numbers from −1 to 1 as coloured cells from left to right, blue to red."""
        step = w / len(values)
        for k, value in enumerate(values):
            self._add("rect", x=x + k * step, y=y, width=step, height=h, fill=colour(value))
        self._add("rect", x=x, y=y, width=w, height=h, fill="none", stroke="currentColor")

    def arrow(self, *points: tuple[float, float], dashed: bool = False, head: bool = True) -> None:
        """A line through the points, with a head at the last."""
        at = " ".join(f"{_short(x)},{_short(y)}" for x, y in points)
        dash = {"stroke_dasharray": "4 3"} if dashed else {}
        self._add("polyline", points=at, fill="none", stroke="currentColor", **dash)
        if head:
            (x0, y0), (x1, y1) = points[-2:]
            turn = math.atan2(y1 - y0, x1 - x0)
            corners = [(x1, y1)] + [
                (x1 - HEAD * math.cos(turn + side), y1 - HEAD * math.sin(turn + side))
                for side in (0.45, -0.45)
            ]
            outline = " ".join(f"{_short(x)},{_short(y)}" for x, y in corners)
            self._add("polygon", points=outline, fill="currentColor")

    def label(
        self,
        x: float,
        y: float,
        shown: str,
        *,
        size: float = 12,
        anchor: str = "middle",
        ink: str = "currentColor",
        room: float = math.inf,
    ) -> None:
        """Text whose middle is at height y, made smaller where it needs more than `room`."""
        wide = sum(1.0 if ord(letter) > 0x2E80 else 0.58 for letter in shown)
        size = min(size, room / max(wide, 1))
        self.parts.append(
            element(
                "text",
                text(shown),
                x=_short(x),
                y=_short(y + 0.35 * size),
                font_size=_short(size),
                text_anchor=anchor,
                fill=ink,
            )
        )

    def svg(self, title: str, *, alone: bool = False) -> str:
        """The <svg> element; alone: for a file of its own, on white."""
        attributes = {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {_short(self.width)} {_short(self.height)}",
            "font_family": FONT,
            "role": "img",
        }
        size = {"width": _short(self.width), "height": _short(self.height)}
        on_a_page = f"min-width: {0.6 * self.width:.0f}px; max-width: {self.width:.0f}px"
        attributes |= {**size, "style": PAPER} if alone else {"style": on_a_page}
        inside = [element("title", text(title)), element("desc", text(GENERATOR))]
        drawn = element("svg", *inside, join(self.parts, "\n"), **attributes)
        return drawn + "\n" if alone else drawn

    def _add(self, name: str, **attributes: float | str) -> None:
        self.parts.append(
            element(
                name,
                **{k: v if isinstance(v, str) else _short(v) for k, v in attributes.items()},
            )
        )


def colour(value: float) -> str:
    """The colour of a value from −1 to 1."""
    red, green, blue = colours.signed_colour(min(max(value, -1.0), 1.0))
    return f"rgb({red},{green},{blue})"


def is_diagram(head: bytes) -> bool:
    """Whether a file that begins so is one of these pictures."""
    return GENERATOR.encode() in head


def _ink(value: float) -> str:
    return "#000" if colours.needs_dark_text(colours.signed_colour(value)) else "#fff"


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
