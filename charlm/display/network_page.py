"""A page on which a network is drawn, and its cell at every step: choose one, no script needed."""

from __future__ import annotations

from collections.abc import Sequence

from .diagram import Diagram
from .html_page import SIGNED, Html, document, element, figure, join, paragraph, section, text

ABOUT = (
    "A column is a step, read from below: x is what is read, s the state of a layer (s→ and s← of "
    "the two directions, u of a dense layer), ŷ the most probable token there, the redder, the "
    "surer. The coloured cells are the units whose values change most: blue −1, white 0, red 1 (a "
    "gate: white 0, red 1)."
)
CHOICE = """.steps input { position: absolute; opacity: 0; } .steps .step { display: none; }
.steps label { padding: .15rem .5rem; border: 1px solid var(--line); border-radius: .3rem; }
.steps input:focus-visible + label { outline: 2px solid; }
"""


def page(name: str, tokens: Sequence[str], network: Diagram, cells: Sequence[Diagram]) -> str:
    """The page."""
    sections = [section("Unrolled in time", *unrolled_figure(tokens, network))]
    if cells:
        sections.append(section("Inside the cell", *cell_figures(tokens, cells)))
    return document(f"{name} at work", [paragraph(ABOUT, "soft")], sections, SIGNED)


def unrolled_figure(tokens: Sequence[str], network: Diagram) -> list[Html]:
    """The network over the tokens."""
    reading = f"The network reads: {' '.join(tokens)}"
    return [figure(network.svg(reading), reading)]


def cell_figures(tokens: Sequence[str], cells: Sequence[Diagram]) -> list[Html]:
    """The cell at the step that is chosen, the last one at first."""
    choices, steps, rules = [], [], [CHOICE]
    for k, (token, cell) in enumerate(zip(tokens, cells, strict=True)):
        chosen = " checked" if k == len(cells) - 1 else ""
        choices.append(
            Html(
                f'<input type="radio" name="step" id="step{k}"{chosen}>'
                f'<label for="step{k}">{text(token)}</label>'
            )
        )
        caption = f"The lowest layer while it reads “{token}”."
        steps.append(element("div", figure(cell.svg(caption), caption), class_=f"step s{k}"))
        rules.append(
            f"#step{k}:checked ~ .s{k} {{ display: block; }}\n"
            f"#step{k}:checked + label {{ background: var(--panel); font-weight: bold; }}\n"
        )
    style = element("style", Html("".join(rules)))
    return [style, element("div", join(choices), join(steps), class_="steps")]
