"""An HTML page of the shapes of recurrent networks, drawn with the states of trained ones."""

from __future__ import annotations

from collections.abc import Callable

from ..display.html_page import SIGNED, Html, document, figure, paragraph, section
from ..display.unrolled import unrolled
from .chinese import speaking
from .shape_tasks import HIDDEN, UNITS_SHOWN, Example
from .shapes import DOES, Shape, Shapes


def page(found: Shapes, lang: str = "en") -> str:
    """The page, in English or Chinese (zh): one section for each shape."""
    say = speaking(lang, "shapes_page")
    about = say(
        f"Five small networks of {HIDDEN} units, trained in this run. A column is a step, read "
        f"from below; the cells between are the {UNITS_SHOWN} units whose values change most, "
        "blue −1, white 0, red 1. The redder an answer, the surer. A dashed arrow: what was "
        "answered is read next."
    )
    return document(
        say("One or many in, one or many out"),
        [paragraph(about, "soft")],
        [_section(one, say) for one in found.shapes],
        SIGNED,
        lang,
    )


def _section(shape: Shape, say: Callable[[str], str]) -> Html:
    rates = ", ".join(f"{100 * one.right:.1f} %" for one in shape.trials)
    return section(
        say(shape.name),
        paragraph(say(f"{say(DOES[shape.name])} (right on new ones, by seed: {rates})")),
        *(_drawn(shape.name, one, say) for one in shape.examples),
    )


def _drawn(name: str, example: Example, say: Callable[[str], str]) -> Html:
    alone = name == "one to one"
    drawing = unrolled(example.columns, ["h" if alone else "s"], recurrent=not alone)
    caption = " ".join(one.read for one in example.columns if not one.fed_back)
    return figure(drawing.svg(f"{say(name)}: {caption}"), f"{caption} ({say(example.title)})")
