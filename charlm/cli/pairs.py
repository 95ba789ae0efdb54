"""`charlm pairs`: score minimal pairs."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from . import show
from .open_files import count_unknown, note_unknown, only_once, open_model
from .options import Device, Encoding, Errors, Json, ModelPath
from .talk import note, progress_bar

if TYPE_CHECKING:
    from ..tasks.pairs import Accuracy, PairScore


class Norm(StrEnum):
    """What log P is divided by."""

    none = "none"
    token = "token"
    char = "char"


def pairs(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE…", help='TSV or JSON lines (BLiMP); "-" reads stdin.'),
    ],
    region: Annotated[
        bool, typer.Option("--region", help="Score only the region where the two sentences differ.")
    ] = False,
    norm: Annotated[
        Norm, typer.Option(help="Divide log P by the length in tokens or characters.")
    ] = Norm.none,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Column to group by. Default: linguistics_term, phenomenon or UID.",
            show_default=False,
        ),
    ] = None,
    worst: Annotated[
        int, typer.Option(min=0, help="Number of failures to list, worst first.")
    ] = 10,
    json: Json = False,
    encoding: Encoding = "utf-8",
    errors: Errors = "strict",
    model: ModelPath = None,
    device: Device = None,
) -> None:
    r"""Score minimal pairs: is the good sentence the more probable?

    Each line holds a good sentence, a bad one and optionally a phenomenon, separated by tabs; or a
    JSON object with sentence_good and sentence_bad. A first line of good, bad, … names the columns.
    Intervals are 95 % (Wilson).

    \b
    charlm pairs pairs.tsv
    charlm pairs blimp/*.jsonl --by UID
    charlm pairs pairs.jsonl --region --json
    """
    from ..tasks.pairs import collect, score_pairs

    only_once(*files)
    used = open_model(model, device)
    collected = collect(files, by, encoding=encoding, errors=errors, level=used.tokenizer.level)
    with progress_bar(f"scoring {show.count(len(collected), 'pair')}"):
        scored = score_pairs(used.causal, used.tokenizer, collected, region=region, norm=norm.value)
    overall, failures = scored.overall, scored.worst(worst)
    note_unknown(*count_unknown(used, (t for pair in collected for t in (pair.good, pair.bad))))
    if overall.ties:
        blame = ": they differ only in unknown tokens" if used.tokenizer.unk else ""
        tied = show.count(overall.ties, "pair")
        note(f"the model cannot tell the sentences of {tied} apart{blame}")
        if used.tokenizer.level == "word" and used.tokenizer.as_dict()["split"] == "whitespace":
            note('to it "cat." is one word; a model trained with --split unicode reads two')
    if json:
        show.emit_json(
            {
                "model": used.info["path"],
                **scored.as_dict(),
                "worst": [one.as_dict() for one in failures],
            }
        )
        return
    _print(overall, scored.by_phenomenon, failures)


def _print(overall: Accuracy, groups: dict[str, Accuracy], failures: Sequence[PairScore]) -> None:
    from ..measures import surprisal

    rows = [["", "pairs", "right", "95 %", "mean Δ (bits)", "ties"]]
    named = groups if len(groups) > 1 or "" not in groups else {}
    rows += [_row(name or "(none)", group) for name, group in named.items()]
    rows.append(_row("all", overall))
    if not overall.ties:
        rows = [row[:-1] for row in rows]
    head, *lines = show.columns(rows, "<" + ">" * (len(rows[0]) - 1))
    show.line(head, "dim")
    for line in lines[:-1]:
        show.line(line)
    show.line(lines[-1], "bold")
    if failures:
        show.line()
        show.line("worst failures: bits by which the bad sentence is more probable", "dim")
    for one in failures:
        bits = show.number(surprisal(one.difference))
        show.paragraph(f"{bits:>7}  {show.one_line(one.pair.bad)}", indent=9, first=0)
        show.paragraph(
            f"{'not':>7}  {show.one_line(one.pair.good)}", indent=9, first=0, style="dim"
        )


def _row(name: str, group: Accuracy) -> list[str]:
    low, high = group.interval
    bits = group.as_dict()["mean_difference_bits"]
    return [
        name,
        f"{group.total:,}",
        f"{group.rate:.1%}",
        f"{low:.1%}–{high:.1%}",
        show.number(bits),
        str(group.ties),
    ]
