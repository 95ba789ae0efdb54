"""`charlm lab memory`: what an RNN forgets and an LSTM keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...cli import show
from ...errors import require
from ..options import Force
from ..talk import progress_bar
from .experiment import cells_of, conclude
from .options import Cells, Hidden, Json, Lang, Languages, Picture, Seed, Seeds

if TYPE_CHECKING:
    from ...lab.memory import Memory, Recall


def memory(
    cells: Cells = "rnn,lstm,lstm-peephole,gru",
    lags: Annotated[
        str, typer.Option(metavar="NUMBERS", help="Lags in symbols, separated by commas.")
    ] = "1,2,3,4,5,10,20,30,100",
    hidden: Hidden = 64,
    steps: Annotated[int, typer.Option(min=1, help="Maximum steps for each k.")] = 1000,
    seeds: Seeds = 3,
    counter: Annotated[
        bool, typer.Option("--counter/--no-counter", help="Also test counting.")
    ] = True,
    seed: Seed = 1,
    out: Picture = Path("lab-memory.png"),
    force: Force = False,
    lang: Lang = Languages.en,
    json: Json = False,
) -> None:
    r"""Show how far back models remember, and how far they count.

    Cells and n-gram models; this takes two to three minutes.

    A sentence begins with a or b, continues with random fillers, and ends, k symbols later, with a
    symbol determined by the first. Each k is a separate language with a separate network. Gated
    networks start with biases that suit k (chrono initialisation, Tallec and Ollivier 2018). The
    counter is the language aⁿbⁿ, learned up to n = 20 by 16 units in 1,200 steps.

    \b
    charlm lab memory
    charlm lab memory --cells rnn,gru --lags 5,10,20,40 --seeds 1 --no-counter
    """
    from ...lab.memory import experiment

    chosen, all_lags = cells_of(cells), _numbers(lags)
    with progress_bar("training") as progress:
        found = experiment(
            cells=chosen,
            lags=all_lags,
            hidden=hidden,
            steps=steps,
            seed=seed,
            seeds=seeds,
            count=counter,
            progress=progress,
        )
    conclude(found, json, _print, out, lang, columns=2 if found.counts else 1)


def _numbers(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    require(
        all(part.isascii() and part.isdecimal() for part in parts),
        f"--lags takes numbers separated by commas, not {text!r}",
    )
    return [int(part) for part in parts]


def _print(found: Memory) -> None:
    names = [one.model for one in found.recalls]
    rows = [["k", *(name.replace("lstm-peephole", "peephole") for name in names)]]
    rows += [[str(lag), *(_accuracy(one, lag) for one in found.recalls)] for lag in found.lags]
    show.line("% of sentences whose end is right, k symbols after what determines it", "bold")
    show.table(rows, ">" * len(rows[0]))
    if len(found.seeds) > 1:
        show.line("(the mean of the seeds; * where one is more than 10 points off it)", "dim")
    show.line("Gate biases start at values that suit the lag (chrono initialisation).", "dim")
    if found.counts:
        show.line()
        show.line("aⁿbⁿ: the largest n up to which every end is right, by seed", "bold")
        for one in found.counts:
            reach = ", ".join(str(n) for n in one.reach)
            show.line(f"{one.cell:<14}{reach}")
    show.line()
    for remark in _remarks(found):
        show.paragraph(remark, indent=0)


def _accuracy(one: Recall, lag: int) -> str:
    mean = one.mean(lag)
    apart = max(abs(accuracy - mean) for accuracy in one.accuracy[lag])
    return f"{'*' if apart > 0.1 else ''}{100 * mean:.0f}"


def _remarks(found: Memory) -> Iterator[str]:
    """Remarks on the numbers."""
    from ...lab.counter import MAX_TRAINED

    for one in found.recalls:
        kept, lost = found.kept(one), found.lost(one)
        remark = f"recalls (99 % in every seed) up to k = {kept}" if kept else "recalls nothing"
        if lost is not None:
            remark += f"; within 10 points of chance in every seed from k = {lost}"
        yield f"{one.model}: {remark}."
    for one_count in found.counts:
        reach = one_count.reach
        short = sum(n < MAX_TRAINED for n in reach)
        missed = f", short of {MAX_TRAINED} in {short} of {len(reach)} runs" if short else ""
        yield (
            f"{one_count.cell}: trained up to {MAX_TRAINED}, counts to {min(reach)} to "
            f"{max(reach)}{missed}."
        )
