"""`charlm regions`: surprisal region by region of a test suite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from . import show
from .items import check_items, write_items
from .open_files import note_unknown, open_model
from .options import Device, Encoding, Errors, Force, Json, ModelPath
from .talk import progress_bar

if TYPE_CHECKING:
    from ..tasks.suites import SuiteScores


def regions(
    suite: Annotated[
        str, typer.Argument(metavar="SUITE", help='A test suite in JSON; "-" reads stdin.')
    ],
    items: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Also write a row for every region of every sentence to a file: TSV, or CSV if it "
            "ends so.",
            show_default=False,
        ),
    ] = None,
    force: Force = False,
    json: Json = False,
    encoding: Encoding = "utf-8",
    errors: Errors = "strict",
    model: ModelPath = None,
    device: Device = None,
) -> None:
    r"""Score a test suite: surprisal region by region, and what was predicted of it.

    A suite has items, each in several conditions, each a list of regions; predictions compare
    surprisals, as (4;%match%) < (4;%mismatch%) does those of region 4 in two conditions. Its JSON
    is SyntaxGym's. A word belongs to the region that it begins in; intervals are 95 % (Wilson).

    \b
    charlm regions agreement.json
    charlm regions agreement.json --items regions.csv --json
    """
    from ..tasks.suite_files import read_file
    from ..tasks.suites import score_suite

    check_items(items, [suite], force)
    used = open_model(model, device)
    found = read_file(suite, encoding=encoding, errors=errors)
    sentences = len(found.items) * len(found.conditions)
    with progress_bar(f"scoring {show.count(sentences, 'sentence')}"):
        scored = score_suite(used.causal, used.tokenizer, found)
    unknown = sum(sum(one.oov) for one in scored.sentences)
    tokens = sum(len(used.tokenizer.encode(one.text)) for one in scored.sentences)
    note_unknown(unknown, tokens)
    write_items(items, list(scored.rows()))
    if json:
        show.emit_json({"model": used.info["path"], **scored.as_dict()})
        return
    _print(scored)


def _print(scored: SuiteScores) -> None:
    if scored.predictions:
        rows = [["prediction", "items", "right", "95 %"]]
        for one in scored.predictions:
            low, high = one.interval
            interval = f"{low:.1%}–{high:.1%}"
            rows.append([one.formula, f"{len(one.held):,}", f"{one.rate:.1%}", interval])
        show.table(rows, "<>>>")
        show.line()
    show.line(f"{scored.suite.metric} of surprisal by region, mean over items (bits)", "dim")
    means = scored.means()
    rows = [["region", *means]]
    for k, name in enumerate(scored.suite.regions):
        label = name if name == str(k + 1) else f"{k + 1} {name}"
        rows.append([label, *(show.number(row[k]) for row in means.values())])
    show.table(rows, "<" + ">" * len(means))
