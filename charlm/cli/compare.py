"""`charlm compare`: compare two models on the same text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import CharlmError
from . import show
from .open_files import drop_empty, note_unknown, open_lines, open_model
from .options import Column, Device, Encoding, Errors, Field, Json, OovTreatment
from .talk import progress_bar

if TYPE_CHECKING:
    from ..tasks.compare import Comparison, Line
    from ..text.source import Reading

MIN_SENTENCES = 10  # below this the bootstrap says little


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="Run directory or model file.")],
    second: Annotated[
        str, typer.Argument(metavar="B", help="Run directory or model file to compare it with.")
    ],
    file: Annotated[
        str | None,
        typer.Argument(metavar="[FILE]", help='A text file; "-" reads stdin.', show_default=False),
    ] = None,
    pairs: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Compare on minimal pairs instead, see `charlm pairs`. Repeatable.",
            show_default=False,
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Column to group pairs by.", show_default=False),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="The sentences of pairs that are a position and two words.",
            show_default=False,
        ),
    ] = None,
    skip_oov: Annotated[
        bool, typer.Option("--skip-oov", help="Leave out pairs with a word that a model lacks.")
    ] = False,
    lines: Annotated[
        int, typer.Option(min=0, help="Number of sentences to show for each model.")
    ] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 1,
    oov: OovTreatment = None,
    json: Json = False,
    encoding: Encoding = "utf-8",
    errors: Errors = "strict",
    field: Field = None,
    column: Column = None,
    device: Device = None,
) -> None:
    r"""Compare two models on the same sentences, one per line.

    Bits per character are comparable across levels. The interval is 95 %, by a paired bootstrap
    over sentences; below it, the sentences on which the models differ most.

    With --pairs, how often each prefers the good sentence, and the p-value of McNemar's test: how
    probable it is, if neither model is better, that pairs which one gets right and the other wrong
    are as unequally divided as here, or more.

    \b
    charlm compare runs/lstm runs/fivegram test.txt
    charlm compare runs/a runs/b test.txt --json
    charlm compare runs/a runs/b --pairs blimp/ --by UID
    """
    from ..tasks.compare import compare as measure

    if file is None and not pairs:
        raise CharlmError("name a text to compare the models on, or --pairs FILE")
    if file is not None and pairs:
        raise CharlmError(f"{file} is taken as a text: write --pairs before each file of pairs")
    for_pairs = {"--by": by, "--text": text, "--skip-oov": skip_oov}
    for_text = {"--oov": oov, "--field": field, "--column": column}
    for option, value in (for_text if pairs else for_pairs).items():
        if value not in (None, False):
            raise CharlmError(f"{option} does not go with {'--pairs' if pairs else 'a text'}")
    used = [open_model(first, device), open_model(second, device)]
    if pairs:
        from .compare_pairs import compare_pairs

        how_pairs = {"encoding": encoding, "errors": errors}
        compare_pairs(used, pairs, by, text=text, skip_oov=skip_oov, as_json=json, **how_pairs)
        return
    levels = {one.tokenizer.level for one in used}
    level = levels.pop() if len(levels) == 1 else "char"
    how: Reading = {"encoding": encoding, "errors": errors, "field": field, "column": column}
    with open_lines(str(file), level, **how) as (name, given):
        sentences = drop_empty(given, name, "compare on")
    with progress_bar(f"scoring {show.count(len(sentences), 'sentence')}"):
        models = [(one.lm, one.tokenizer) for one in used]
        found = measure(models, sentences, seed=seed, oov=oov)
    for total, path in ((found.first, first), (found.second, second)):
        note_unknown(total.oov, total.tokens, found.oov, path)
    for_first, for_second = found.wins(lines)
    if json:
        record = {
            "models": [one.info["path"] for one in used],
            **found.as_dict(),
            "first_wins": [line.as_dict() for line in for_first],
            "second_wins": [line.as_dict() for line in for_second],
        }
        show.emit_json(record)
        return
    _print(found, first, second, for_first, for_second)


def _print(
    found: Comparison, first: str, second: str, for_first: list[Line], for_second: list[Line]
) -> None:
    spelled = " (closed)" if found.oov == "spelled" else ""  # as bits/char are not
    rows = [["", "bits/char", f"perplexity{spelled}", "OOV"]]
    named = ((f"A  {first}", found.first), (f"B  {second}", found.second))
    for (name, m), per_char in zip(named, found.bits_per_char(), strict=True):
        rows.append([name, show.number(per_char, 4), show.number(m.perplexity), f"{m.oov:,}"])
    show.table(rows, "<>>>")
    low, high = found.interval
    verdict = "no clear difference"
    if len(found.lines) < MIN_SENTENCES:
        verdict = "too few sentences to tell"
    elif low > 0 or high < 0:
        verdict = f"{'B' if low > 0 else 'A'} is better"
    show.line()
    span = f"[{show.number(low, 4)}, {show.number(high, 4)}]"
    show.line(
        f"A − B: {show.number(found.difference, 4)} bits/char, 95 % {span}: {verdict} "
        f"(A better in {found.better:.1%} of resamples)",
        "bold",
    )
    for name, side in (("A", for_first), ("B", for_second)):
        if side:
            show.line()
            show.line(f"where {name} does better, by bits", "dim")
        for one in side:
            bits = show.number(abs(one.difference))
            show.paragraph(f"{bits:>8}  {show.one_line(one.text)}", indent=10, first=0)
