"""An HTML page that colours every token of a text by the value of a hidden unit."""

from __future__ import annotations

from itertools import groupby

from ..display.html_page import (
    SHADES,
    SIGNED,
    Html,
    document,
    element,
    join,
    lines,
    paragraph,
    section,
    table,
    text,
)
from .neurons import Neurons, Tracked, Unit

UNITS_SHOWN = 3  # per property
LEGEND_SHADES = range(0, SHADES, 2)  # in the legend


def page(found: Neurons) -> str:
    """The page: one section for each property, or for the unit chosen."""
    if found.chosen is not None:
        sections = [_chosen(found, found.chosen)]
    else:
        sections = [_section(found, one) for one in found.tracked]
    chosen = "" if found.chosen else f"; the best were chosen out of {found.candidates:,} values"
    about = [
        paragraph(
            "Every token stands on the colour of a unit's value after it has been read. r is "
            f"Pearson's correlation of value and property over {found.tokens:,} tokens, of which "
            f"the first {len(found.pieces):,} are shown{chosen}.",
            "soft",
        ),
        _legend(),
    ]
    if found.left_out:
        names = ", ".join(found.left_out)
        about.append(
            paragraph(f"Left out, as it is the same in all of this text: {names}.", "soft")
        )
    if found.tracked:
        about.append(_summary(found))
    return document(f"Hidden units of {found.model}", about, sections, SIGNED)


def _summary(found: Neurons) -> Html:
    """The best unit of each property, or how well the unit chosen does."""
    rows = [
        [one.name, one.units[0][0].name, _signed(one.units[0][1]), f"{one.chance:.3f}"]
        for one in found.tracked
    ]
    return table(["property", "layer:unit:what", "r", "best |r| by chance"], rows)


def _section(found: Neurons, one: Tracked) -> Html:
    marks = "" if one.marks is None else " Underlined: where it holds."
    note = (
        f"By chance, with the property moved half the text away, the best |r| is {one.chance:.3f}."
    )
    parts = [paragraph(note + marks, "soft")]
    for unit, r in one.units[:UNITS_SHOWN]:
        parts.append(element("h3", text(f"{_label(unit)} · r = {_signed(r)}")))
        parts.append(_text(found, unit, one.marks))
    return section(one.name, *parts)


def _chosen(found: Neurons, unit: Unit) -> Html:
    return section(_label(unit), _text(found, unit, None))


def _label(unit: Unit) -> str:
    return f"layer {unit.layer}, unit {unit.index}, {unit.what}"


def _signed(r: float) -> str:
    return f"{r:+.3f}".replace("-", "−")


def _text(found: Neurons, unit: Unit, marks: tuple[bool, ...] | None) -> Html:
    """The tokens; adjacent ones of the same style share an element."""
    styles = [
        (SIGNED.level((value + 1) / 2), marks is not None and marks[t])
        for t, value in enumerate(found.scaled(unit))
    ]
    spans = []
    for (level, on), run in groupby(zip(styles, found.spaced(), strict=True), key=lambda at: at[0]):
        shown = lines("".join(piece for _, piece in run))
        spans.append(SIGNED.span(shown, level, **({"class_": "on"} if on else {})))
    narrow = " letters" if found.level in ("char", "byte") else ""
    return element("div", element("p", join(spans), dir="auto"), class_=f"heat scroll{narrow}")


def _legend() -> Html:
    steps = [SIGNED.span(text("\u00a0"), k) for k in LEGEND_SHADES]
    scales = "gates: 0 to 1; c, where it goes beyond ±1: by the largest in the text shown"
    return element("p", text("−1 "), *steps, text(f" +1 ({scales})"), class_="legend")
