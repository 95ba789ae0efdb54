"""An HTML page of the shapes of recurrent networks, drawn with the states of trained ones."""

from __future__ import annotations

from ..display.html_page import SIGNED, Html, document, figure, paragraph, section
from ..display.unrolled import unrolled
from .shape_tasks import HIDDEN, UNITS_SHOWN, Example
from .shapes import DOES, Shape, Shapes


def page(found: Shapes) -> str:
    """The page: one section for each shape."""
    about = [
        paragraph(
            f"Five small networks of {HIDDEN} units, trained in this run. A column is a step, read "
            f"from below; the cells between are the {UNITS_SHOWN} units whose values change most, "
            "blue −1, white 0, red 1. The redder an answer, the surer. A dashed arrow: what was "
            "answered is read next.",
            "soft",
        )
    ]
    return document(
        "One or many in, one or many out", about, [_section(one) for one in found.shapes], SIGNED
    )


def _section(shape: Shape) -> Html:
    rates = ", ".join(f"{100 * one.right:.1f} %" for one in shape.trials)
    return section(
        shape.name,
        paragraph(f"{DOES[shape.name]} (right on new ones, by seed: {rates})"),
        *(_drawn(shape.name, one) for one in shape.examples),
    )


def _drawn(name: str, example: Example) -> Html:
    alone = name == "one to one"
    drawing = unrolled(example.columns, ["h" if alone else "s"], recurrent=not alone)
    caption = " ".join(one.read for one in example.columns if not one.fed_back)
    return figure(drawing.svg(f"{name}: {caption}"), f"{caption} ({example.title})")
