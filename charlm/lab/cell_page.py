"""An HTML page of a memory cell worked by hand: its picture, and what happened at each step."""

from __future__ import annotations

from ..display.charts import svg
from ..display.html_page import SIGNED, document, figure, number, paragraph, section, table
from .cell import ByHand
from .chinese import fonts_for, speaking, translated


def page(found: ByHand, lang: str = "en") -> str:
    """The page, in English or Chinese (zh)."""
    say = speaking(lang, "cell_page")
    rows = [
        [
            numbers,
            step.name,
            *(f"{gate:g}" for gate in (step.i, step.f, step.o)),
            *(number(value) for value in (step.c, step.y, *step.held)),
        ]
        for numbers, step in found.spans()
    ]
    heads = ["steps", "what", "i", "f", "o", "c", "y", *(f"RNN, w = {w:g}" for w in found.weights)]
    about = say(
        "c_t = f_t c_{t−1} + i_t x_t and y_t = o_t c_t, the gates set by hand; at steps that "
        f"write nothing, x_t is noise up to ±{found.noise:g} (seed {found.seed}). Beside it "
        "plain RNNs of one unit, h_t = tanh(w h_{t−1} + u x_t), with the same inputs; what "
        "they hold is h_t / u."
    )
    drawn = svg(translated(found.panels(), lang, "cell"), name="cell", fonts=fonts_for(lang))
    picture = figure(drawn, say("Gates, contents and gradients, by step."))
    by_step = table([say(head) for head in heads], rows)
    return document(
        say("A memory cell by hand"),
        [paragraph(about, "soft")],
        [section(say("What happens"), picture), section(say("Step by step"), by_step)],
        SIGNED,
        lang,
    )
