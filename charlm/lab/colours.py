"""Hidden units over a text as one HTML page: every token on the colour of a unit's value."""

from __future__ import annotations

from html import escape
from itertools import groupby

from .neurons import Neurons, Tracked, Unit

LEVELS = 8  # of either colour
BEST = 3  # units shown of each property
# negative, zero, positive: of the token's background, on light and on dark
PALETTES = {
    "light": ((67, 147, 195), (255, 255, 255), (214, 96, 77)),
    "dark": ((33, 102, 172), (24, 26, 29), (178, 24, 43)),
}
STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --page: #fff; --faint: #666; --rule: #ddd; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e6; --page: #181a1d; --faint: #999; --rule: #333; }
}
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: var(--ink);
  background: var(--page); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; }
p, h3 { margin: .5rem 0; } h3 { font-size: 1rem; font-weight: normal; color: var(--faint); }
.text { white-space: pre-wrap; overflow-wrap: anywhere; max-height: 22rem; overflow-y: auto;
  padding: .6rem; border: 1px solid var(--rule); font: 14px/1.55 ui-monospace, monospace; }
.on { text-decoration: underline; text-underline-offset: 3px; }
.legend b { font-weight: normal; padding: 0 .45em; }
.faint { color: var(--faint); }
"""


def page(found: Neurons) -> str:
    """The page, which fetches nothing: one section for each property, or for the unit chosen."""
    if found.chosen is not None:
        sections = [_chosen(found, found.chosen)]
    else:
        sections = [_section(found, one) for one in found.tracked]
    title = escape(f"Hidden units of {found.model}")
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    left_out = ""
    if found.left_out:
        names = escape(", ".join(found.left_out))
        left_out = f'<p class="faint">Left out, as it is the same in all of this text: {names}.</p>'
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{STYLE}{_scale()}</style>
</head>
<body>
<h1>{title}</h1>
<p>Every token stands on the colour of a unit's value after it has been read.
r is Pearson's correlation of value and property over {found.tokens:,} tokens, of which the first
{len(found.pieces):,} are shown; the best were chosen out of {found.candidates:,} values.</p>
<p class="legend">{_legend()}</p>
{left_out}
{"".join(sections)}
</body>
</html>
"""


def level(value: float) -> int:
    """The step of the scale, 0 … 2·LEVELS, for a value from −1 to 1."""
    return round((min(max(value, -1.0), 1.0) + 1) * LEVELS)


def colour(value: float, theme: str) -> tuple[int, int, int]:
    """Red, green and blue, 0 … 255, for a value from −1 to 1 in "light" or "dark"."""
    low, middle, high = PALETTES[theme]
    end, share = (high, value) if value > 0 else (low, -value)
    red, green, blue = (
        round(a + (b - a) * min(share, 1.0)) for a, b in zip(middle, end, strict=True)
    )
    return red, green, blue


def _section(found: Neurons, one: Tracked) -> str:
    marks = "" if one.marks is None else " Underlined: where it holds."
    parts = [
        f'<h2>{escape(one.name)}</h2>\n<p class="faint">By chance, with the property moved half '
        f"the text away, the best |r| is {one.chance:.2f}.{marks}</p>\n"
    ]
    for unit, r in one.units[:BEST]:
        parts.append(f"<h3>{_called(unit)} · r = {_signed(r)}</h3>\n")
        parts.append(_text(found, unit, one.marks))
    return "".join(parts)


def _chosen(found: Neurons, unit: Unit) -> str:
    tracks = ", ".join(f"{one.name} {_signed(one.units[0][1])}" for one in found.tracked)
    return f"<h2>{_called(unit)}</h2>\n<p>r: {escape(tracks)}</p>\n{_text(found, unit, None)}"


def _called(unit: Unit) -> str:
    return f"layer {unit.layer}, unit {unit.index}, {unit.what}"


def _signed(r: float) -> str:
    return f"{r:+.3f}".replace("-", "−")


def _text(found: Neurons, unit: Unit, marks: tuple[bool, ...] | None) -> str:
    """The tokens, neighbours of one look in one element."""
    looks = [
        f"k{level(value)}{' on' * (marks is not None and marks[t])}"
        for t, value in enumerate(found.scaled(unit))
    ]
    spelt: list[str] = []
    for look, run in groupby(zip(looks, found.spaced(), strict=True), key=lambda pair: pair[0]):
        spelt.append(f'<span class="{look}">{escape("".join(piece for _, piece in run))}</span>')
    return f'<div class="text">{"".join(spelt)}</div>\n'


def _legend() -> str:
    steps = "".join(f'<b class="k{k}">&nbsp;</b>' for k in range(2 * LEVELS + 1))
    scales = "gates: 0 to 1; c, where it goes beyond ±1: by the largest in the text shown"
    return f"−1 {steps} +1 &nbsp; ({scales})"


def _scale() -> str:
    def rules(theme: str) -> str:
        return "".join(
            f".k{k} {{ background: rgb{colour(k / LEVELS - 1, theme)} }}\n"
            for k in range(2 * LEVELS + 1)
        )

    return f"{rules('light')}@media (prefers-color-scheme: dark) {{\n{rules('dark')}}}\n"
