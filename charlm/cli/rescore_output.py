"""What `charlm rescore` writes: reranked lists, best hypotheses, costs, error rates."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from . import show

if TYPE_CHECKING:
    from ..tasks.rescore import ErrorRates, Rescored

COLUMNS = ("utterance", "hypothesis", "combined", "score", "lm")


def check_list(out: str, read: Iterable[str | None], *, force: bool) -> None:
    """Raise CharlmError if a list must not be written there: see `output_file`."""
    from ..errors import CharlmError
    from ..system.output_file import check, is_among

    if is_among(Path(out), read):
        raise CharlmError(f"{out} is one of the files to read: name another with --out")
    check(Path(out), lambda head: head.startswith("\t".join(COLUMNS).encode()), force=force)


def write_list(found: Rescored, out: str | None, best: str | None) -> None:
    """The list as TSV, or the best hypotheses in a format; to a file or stdout."""
    from ..system.output_file import writing
    from ..text.pieces import utf8

    rows = list(_rows(found, only_best=best is not None))
    if best in ("text", "trn"):
        lines = [_transcript(row[0], row[1], best) for row in rows[1:]]
    else:
        lines = ["\t".join(row) for row in rows]
    if out is not None:
        with writing(Path(out)) as file:
            file.write(utf8("".join(line + "\n" for line in lines)))
    elif best in ("text", "trn") or not show.is_terminal(sys.stdout):
        for line in lines:
            show.line(show.valid_unicode(line))
    else:
        short = [[*row[:2], *(f"{float(n):.2f}" for n in row[2:])] for row in rows[1:]]
        for line in show.columns([rows[0], *short], "<<" + ">" * (len(rows[0]) - 2)):
            show.line(show.keep_lines(line))
    sys.stdout.flush()


def write_costs(found: Rescored, out: str) -> None:
    """Kaldi's `utterance-N cost`: −log P in nats of every hypothesis, in the order they came in."""
    from ..system.output_file import writing
    from ..text.pieces import utf8

    lines = []
    for utterance, ranked in zip(found.utterances, found.ranked, strict=True):
        costs = {id(one.hypothesis): -one.lm for one in ranked}
        for number, h in enumerate(utterance.hypotheses, 1):
            lines.append(f"{h.key or f'{utterance.id}-{number}'} {costs[id(h)]!r}\n")
    with writing(Path(out)) as file:
        file.write(utf8("".join(lines)))


def report(found: Rescored) -> Iterator[str]:
    """The weights, and a table of error rates where there are references."""
    yield f"α {found.weights.alpha:.6g} · β {found.weights.beta:.6g}"
    groups = {"dev": found.dev, "test" if found.dev else "": found.rates}
    rows = [["", found.metric.upper(), "95 %", "S", "I", "D", "of"]]
    for name, rates in groups.items():
        rows += _rate_rows(name, rates) if rates else []
    if len(rows) > 1:
        yield from show.columns(rows, "<>>>>>>")
    for name, rates in groups.items():
        if rates is not None:
            saved, low, high = rates.before.reduction(rates.after)
            whose = f"{name}: " if name else ""
            points = f"{100 * saved:.2f} points, 95 % {100 * low:.2f} to {100 * high:.2f} (paired)"
            yield f"{whose}{found.metric.upper()} lower by {points}"
    if found.fitted:
        yield "α and β were fitted to these references: on others, expect less"


def _rate_rows(name: str, rates: ErrorRates) -> Iterator[list[str]]:
    named = {"before": rates.before, "after": rates.after, "oracle": rates.oracle}
    for what, rate in named.items():
        numbers = rate.as_dict()
        low, high = numbers["interval"]
        kinds = (f"{numbers[kind]:,}" for kind in ("substitutions", "insertions", "deletions"))
        label = f"{name} {what}".strip()
        interval = f"{low:.2%}–{high:.2%}"
        yield [label, f"{rate.rate:.2%}", interval, *kinds, f"{numbers['length']:,}"]


def _rows(found: Rescored, *, only_best: bool) -> Iterator[list[str]]:
    """The columns' names, and a row for every hypothesis; with old scores where there are any."""
    old = found.utterances[0].hypotheses[0].old_lm is not None
    yield [*COLUMNS, *(["old_lm_score"] if old else [])]
    for utterance, ranked in zip(found.utterances, found.ranked, strict=True):
        for one in ranked[: 1 if only_best else None]:
            h = one.hypothesis
            numbers = [one.combined, h.score, one.lm, *([h.old_lm] if old else [])]
            yield [utterance.id, h.text, *(repr(n) for n in numbers if n is not None)]


def _transcript(utterance: str, text: str, best: str) -> str:
    return f"{utterance} {text}".rstrip() if best == "text" else f"{text} ({utterance})".lstrip()
