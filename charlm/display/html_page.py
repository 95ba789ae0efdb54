"""Self-contained HTML pages: no scripts, nothing fetched.

Text becomes `Html` only through `text` or `lines`, so it can never act as markup.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import NewType

from ..system.version import __version__
from . import colours
from .readable import fixed, keep_lines, one_line

Html = NewType("Html", str)

GENERATOR = '<meta name="generator" content="charlm">'
MADE_BY = {"en": "Made by charlm {}.", "zh": "由 charlm {} 生成。"}
SHADES = 25  # of a scale; for surprisal they are half a bit apart
CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
STYLE = """
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1c2026; --soft: #5c6672;
  --line: #d8dde3; --panel: #f4f6f8; }
@media (prefers-color-scheme: dark) { :root { --paper: #16181c; --ink: #e4e7eb; --soft: #9ba5b1;
  --line: #343a42; --panel: #1f2227; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem 4rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, "Noto Sans", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.8rem 0 .6rem; padding-top: .6rem;
  border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 0 0 .3rem; }
p { margin: .5rem 0; max-width: 46rem; }
.soft, figcaption, th { color: var(--soft); }
.missing { padding: .5rem .8rem; background: var(--panel); border-inline-start: 3px solid
  var(--soft); }
.cards { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1.2rem 0 0; }
.cards div { background: var(--panel); border-radius: .4rem; padding: .5rem .9rem; }
.cards dt { color: var(--soft); font-size: .85rem; }
.cards dd { margin: 0; font-size: 1.3rem; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
.wide svg { display: block; width: 100%; min-width: 22rem; max-width: 46rem; height: auto; }
figure { margin: .8rem 0; }
figcaption { max-width: 46rem; }
table { border-collapse: collapse; }
th { font-weight: normal; text-align: start; }
th, td { padding: .2rem 1rem .2rem 0; vertical-align: top; border-bottom: 1px solid var(--line); }
thead th { vertical-align: bottom; }
.number { text-align: end; font-variant-numeric: tabular-nums; white-space: nowrap; }
.groups { columns: 17rem; column-gap: 2rem; }
.groups div { break-inside: avoid; padding-bottom: 1.4rem; }
.groups table { width: 100%; }
.groups td { overflow-wrap: anywhere; }
blockquote { margin: .3rem 0 1.1rem; padding: .5rem .8rem; background: var(--panel);
  border-radius: .4rem; white-space: pre-wrap; overflow-wrap: anywhere; }
td:first-child { white-space: nowrap; }
.text { overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  .with-text tr { display: grid; grid-template-columns: repeat(4, 1fr); padding: .3rem 0;
    border-bottom: 1px solid var(--line); }
  .with-text th, .with-text td { border: 0; text-align: start; }
  .with-text .text { grid-column: 1 / -1; }
}
.heat p { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; max-width: none;
  line-height: 1.75; }
.heat span { padding: .12em 0; border-radius: .15em; }
.letters { font-family: "DejaVu Sans Mono", "Noto Sans Mono", ui-monospace, monospace;
  font-size: .9rem; }
.legend span { padding: .1rem .5rem; }
.scroll { max-height: 22rem; overflow-y: auto; padding: .6rem; margin: .3rem 0 1.1rem;
  border: 1px solid var(--line); border-radius: .4rem; }
.scroll span { border-radius: 0; }
.on { text-decoration: underline; text-underline-offset: .2em; }
"""


def text(value: str) -> Html:
    """Text on one line, control characters made visible."""
    return Html(escape(one_line(value)))


def lines(value: str) -> Html:
    """Text with its line breaks, other control characters made visible."""
    return Html(escape(keep_lines(value)))


def number(value: float, places: int = 2) -> str:
    """A number for people to read: 9.71, 1,235, 1.2e+12; ∞; – if undefined."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if abs(value) >= 1e9:
        return f"{value:.1e}"
    return fixed(value, places).replace("-", "−")


def join(parts: Iterable[Html], gap: str = "") -> Html:
    return Html(text(gap).join(parts))


def element(name: str, *inside: Html, **attributes: str) -> Html:
    """<name attribute="…">inside</name>; `class_` is the attribute class."""
    attrs = "".join(
        f' {k.rstrip("_").replace("_", "-")}="{text(v)}"' for k, v in attributes.items()
    )
    return Html(f"<{name}{attrs}>{join(inside)}</{name}>")


def paragraph(value: str, class_: str = "") -> Html:
    return element("p", text(value), **({"class_": class_} if class_ else {}))


def section(title: str, *inside: Html) -> Html:
    """A section of the page, with its title."""
    return element("section", element("h2", text(title)), *inside)


def figure(picture: str, caption: str) -> Html:
    """An <svg> element of ours (see `charts.svg`), above its caption."""
    drawn = element("div", Html(picture), class_="wide", role="img", aria_label=caption)
    return element("figure", drawn, element("figcaption", text(caption)))


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Html:
    """Rows of cells, numeric except for the first column and any headed "text"."""

    def cell_attributes(k: int) -> dict[str, str]:
        if headings[k] == "text":
            return {"class_": "text", "dir": "auto"}
        return {"class_": "number"} if k else {}

    head = element("tr", *(element("th", text(h), scope="col", **cell_attributes(k))
                           for k, h in enumerate(headings)))  # fmt: skip
    body = (
        element(
            "tr", *(element("td", text(cell), **cell_attributes(k)) for k, cell in enumerate(row))
        )
        for row in rows
    )
    whole = element("table", element("thead", head), element("tbody", *body))
    with_text = " with-text" if "text" in headings else ""
    return element("div", whole, class_=f"wide{with_text}")


def key_values(rows: Iterable[tuple[str, str]]) -> Html:
    """Names and values, as a table."""
    return element(
        "table",
        *(
            element("tr", element("th", text(name), scope="row"), element("td", text(value)))
            for name, value in rows
        ),
    )


def cards(rows: Iterable[tuple[str, str]]) -> Html:
    """A few key numbers under their names."""
    return element(
        "dl",
        *(element("div", element("dt", text(k)), element("dd", text(v))) for k, v in rows),
        class_="cards",
    )


@dataclass(frozen=True)
class Scale:
    """Backgrounds for text, in SHADES steps, for light and for dark pages."""

    light: tuple[colours.Rgb, ...]
    dark: tuple[colours.Rgb, ...]

    def level(self, fraction: float) -> int:
        """Which shade stands for a fraction: 0 is the first colour, 1 the last."""
        return round(min(max(fraction, 0.0), 1.0) * (SHADES - 1))

    def span(self, shown: Html, level: int, **attributes: str) -> Html:
        """A span on the shade `level`."""
        classes = f"h{level} {attributes.pop('class_', '')}".rstrip()
        return element("span", shown, class_=classes, **attributes)

    def css(self) -> str:
        """The CSS rules of the shades."""
        light, dark = ("".join(_css_rule(k, colours) for k in range(SHADES))
                       for colours in (self.light, self.dark))  # fmt: skip
        return f"{light}@media (prefers-color-scheme: dark) {{\n{dark}}}\n"


SURPRISAL = Scale(colours.ON_WHITE, colours.ON_BLACK)
SIGNED = Scale(colours.SIGNED_ON_WHITE, colours.SIGNED_ON_BLACK)


def shade(shown: str, bits: float, title: str) -> Html:
    """A token on a background that shows its surprisal."""
    return SURPRISAL.span(text(shown), SURPRISAL.level(bits / colours.MAX_BITS), title=title)


def document(
    title: str,
    about: Iterable[Html],
    sections: Iterable[Html],
    scale: Scale,
    lang: str = "en",
) -> str:
    """The whole page: title, introduction, sections; `scale` colours the tokens in it.

    lang: the language of the page, en or zh.
    """
    head = (
        f'<meta charset="utf-8">{GENERATOR}'
        f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{element('title', text(f'{title} · charlm'))}<style>{STYLE}{scale.css()}</style>"
    )
    body = (
        element("header", element("h1", text(title)), *about),
        element("main", *sections),
        element("footer", paragraph(MADE_BY[lang].format(__version__), "soft")),
    )
    return (
        f'<!DOCTYPE html>\n<html lang="{lang}"><head>{head}</head>\n'
        f"<body>{join(body)}</body></html>\n"
    )


def is_page(head: bytes) -> bool:
    """Whether a file that begins so is one of these pages."""
    return GENERATOR.encode() in head


def _css_rule(level: int, scale: tuple[colours.Rgb, ...]) -> str:
    background = colours.interpolate(level / (SHADES - 1), scale)
    ink = "#000" if colours.needs_dark_text(background) else "#fff"
    return f".h{level} {{ background: rgb{background}; color: {ink}; }}\n"
