"""Text with each token coloured by its surprisal, as HTML for reports and notebooks."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from . import colours
from .html_page import Html, element, join, number, text

Shade: TypeAlias = Callable[[str, float, str], Html]  # (text, bits, tooltip) → a coloured span

ASCII_BYTE = re.compile("0x[0-7][0-9A-F]")  # a token's name
LINE_STYLE = "margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.75"
CAPTION_STYLE = "margin: .2em 0 0; opacity: .7; font-size: .9em"


@dataclass(frozen=True)
class Piece:
    """A token or a word."""

    name: str
    bits: float  # surprisal
    note: str = ""  # shown in its tooltip


def pieces_html(pieces: Sequence[Piece], original: str, level: str, shade: Shade) -> Html:
    """Tokens of a model of `level`, coloured by surprisal; whole words have level "word".

    original: the text itself, which shows where words are separated by a space.
    """
    spans: list[Html] = []
    at = 0
    for k, piece in enumerate(pieces):
        is_eos = k == len(pieces) - 1 and piece.name == "</s>"
        shown = _subword(piece.name) if level == "subword" else piece.name
        if level == "word":
            here = original.lower().find(shown.lower(), at)
            spans.append(text(" " if k and here != at else ""))
            at = here + len(shown) if here >= 0 else at
        notes = (piece.name, f"{number(piece.bits)} bits", piece.note)
        title = " · ".join(note for note in notes if note)
        spans.append(shade("↵" if is_eos else shown, piece.bits, title))
    return join(spans)


def block(line: Html, caption: str) -> Html:
    """A line with a caption below it, styled inline: for a notebook."""
    return element(
        "div",
        element("p", line, style=LINE_STYLE, dir="auto"),
        element("p", text(caption), style=CAPTION_STYLE),
    )


def inline_shade(shown: str, bits: float, title: str) -> Html:
    """A token coloured by its surprisal, readable whatever the page's style."""
    background = colours.surprisal_colour(bits)
    ink = "#000" if colours.needs_dark_text(background) else "#fff"
    style = f"background: rgb{background}; color: {ink}"
    return element("span", text(shown), style=style, title=title)


def _subword(token: str) -> str:
    """A subword as it appears in the text: ▁ is a space, an ASCII byte its character."""
    if ASCII_BYTE.fullmatch(token):
        return chr(int(token, 16))
    return token.replace("▁", " ")
