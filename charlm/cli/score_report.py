"""How `charlm score` shows scores to a reader: a ranked list, tokens and words by surprisal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..display.readable import cut
from ..measures import LN10, ranks
from . import show, surprisal_line
from .log_base import LogBase

if TYPE_CHECKING:
    from ..tasks.score import SentenceScore

MAX_SHOWN = 1000  # characters of a sentence; JSON and TSV have all


def print_scores(scores: Sequence[SentenceScore], base: LogBase, oov: str) -> None:
    """The ranked table. On a narrow terminal, each sentence goes below its row."""
    any_oov = any(one.measures.oov for one in scores)
    headings = [base.heading, "P", "perplexity", "w/o OOV", "bits/char", "OOV"]
    if scores[0].pseudo:
        headings[:3] = [f"pseudo-{base.heading}", "pseudo-P", "pseudo-perpl."]
    rows = [headings, *(_numbers(one, base, oov) for one in scores)]
    if not any_oov:
        rows = [row[:3] + row[4:] for row in rows]
    places = ranks([one.measures for one in scores], oov)
    several = len(scores) > 1
    if several:
        wide = len(str(len(scores)))
        marks = ["", *(f"{'▶' if place == 1 else ' '} {place:>{wide}}" for place in places)]
        rows = [[mark, *row] for mark, row in zip(marks, rows, strict=True)]
    lines = show.columns(rows, ">" * len(rows[0]))
    show.line(lines[0], "dim")
    lead = _lead(scores, oov)
    tails = [
        show.one_line(cut(one.text, MAX_SHOWN)) + (f"   {lead}" if place == 1 and lead else "")
        for one, place in zip(scores, places, strict=True)
    ]
    columns_left = show.width() - show.cells(lines[1]) - 2
    below = show.is_terminal(sys.stdout) and any(show.cells(tail) > columns_left for tail in tails)
    for line, tail, place in zip(lines[1:], tails, places, strict=True):
        style = "bold" if several and place == 1 else ""
        if below:
            show.line(line, style)
            show.paragraph(tail, indent=6 if several else 2, style=style)
        else:
            show.line(f"{line}  {tail}", style)


def _numbers(one: SentenceScore, base: LogBase, oov: str) -> list[str]:
    m, treated = one.measures, replace(one.measures, logprob=one.measures.nats(oov))
    return [
        show.number(base.of(treated.logprob)),
        show.power_of_ten(treated.log10prob),
        show.number(m.perplexity),
        show.number(m.perplexity_excluding_oov),
        show.number(treated.bits_per_char),
        str(m.oov),
    ]


def _lead(scores: Sequence[SentenceScore], oov: str) -> str:
    """How much more probable the best is than the next; empty if there is a tie."""
    order = sorted((one.measures.nats(oov) / LN10 for one in scores), reverse=True)
    if len(order) < 2 or order[0] == order[1] or scores[0].pseudo:
        return ""
    factor = show.times(order[0] - order[1])
    return f"{factor} as probable" + ("" if len(order) == 2 else " as the next")


def print_details(one: SentenceScore, base: LogBase) -> None:
    """The sentence coloured by surprisal, and a row for each token and each word."""
    if one.token_scores is not None:
        names = [show.one_line(t.token) for t in one.token_scores]
        surprisal_line.print_line(names, [t.surprisal for t in one.token_scores])
        rows = [
            [name.replace(" ", "␣"), show.number(base.of(t.logprob)), show.number(t.surprisal)]
            for name, t in zip(names, one.token_scores, strict=True)
        ]
        rows = [[*row, f"{t.rank:,}"] for row, t in zip(rows, one.token_scores, strict=True)]
        pseudo = "pseudo-" if one.pseudo else ""
        heads = ["token", f"{pseudo}{base.heading}", f"{pseudo}surprisal (bits)", "rank"]
        _print_rows([heads, *rows])
    if one.word_scores is not None:
        names = [show.one_line(w.word) for w in one.word_scores]
        surprisal_line.print_line(names, [w.surprisal for w in one.word_scores], gap=" ")
        rows = [
            [name, show.number(base.of(w.logprob)), show.number(w.surprisal)]
            for name, w in zip(names, one.word_scores, strict=True)
        ]
        _print_rows([["word", base.heading, "surprisal (bits)"], *rows])


def _print_rows(rows: list[list[str]]) -> None:
    show.table(rows, "<" + ">" * (len(rows[0]) - 1))
    show.line()
