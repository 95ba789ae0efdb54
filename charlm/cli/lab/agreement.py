"""`charlm lab agreement`: was or were, with a long clause before it."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Annotated

import typer

from ...cli import show
from ...errors import CharlmError
from ..options import Force
from ..talk import note, progress_bar
from .experiment import conclude, refuse_inputs
from .options import Json, Lang, Languages, Picture, Seed

if TYPE_CHECKING:
    from ...lab.agreement import Agreement

SPARSE_LENGTHS = (1, 2, 3, 4, 5, 8)  # words in the clause, shown in the table of n-grams
LENGTHS_SHOWN = (0, 1, 2, 3, 5, 8, 12, 16, 20)  # words in the clause, shown in the table


def agreement(
    context: typer.Context,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            metavar="PATH",
            help="Test this run or model file instead; may be repeated.",
            show_default=False,
        ),
    ] = None,
    runs: Annotated[int, typer.Option(min=1, help="Networks to train per cell.")] = 3,
    steps: Annotated[int, typer.Option(min=1, help="Steps of each training.")] = 1000,
    sentences: Annotated[
        int, typer.Option(min=2, help="Sentences to test at each length, of both kinds.")
    ] = 100,
    seed: Seed = 1,
    out: Picture = Path("lab-agreement.png"),
    force: Force = False,
    lang: Lang = Languages.en,
    json: Json = False,
) -> None:
    r"""Was or were: is the subject remembered through a clause?

    The clause has 1 to 20 words.

    The cat, which already ate fish near the old boats, was full. Simple recurrent, GRU and LSTM
    networks and n-gram models learn from such sentences and are tested on others, with no noun in
    the clause or with nouns of the opposite number (attractors). A model that cannot see the
    subject is right half the time, and so is one that has never seen what stands before the verb:
    a table counts such n-grams. With clauses of two words or more, no test sentence begins like
    a training sentence. With --model, your own models are tested, on words that all of them know; a
    mixture is shown with its parts.

    \b
    charlm lab agreement
    charlm lab agreement --runs 1 --steps 2000
    charlm lab agreement --model runs/demo
    """
    from ...lab.agreement import COMPARED_CELLS, evaluate_models, train_and_evaluate
    from ...runs.locate import resolve

    given = {context.get_parameter_source(name) for name in ("runs", "steps")}
    if model and {source.name for source in given if source} != {"DEFAULT"}:
        raise CharlmError("--runs and --steps are for freshly trained cells: leave out --model")
    files = [str(resolve(one)) for one in model or []]
    refuse_inputs(out, *files)
    if files:
        with progress_bar("reading sentences") as report:
            found = evaluate_models(files, seed=seed, sentences=sentences, progress=report)
    else:
        with progress_bar(
            f"training {show.count(len(COMPARED_CELLS) * runs, 'network')}"
        ) as report:
            found = train_and_evaluate(
                seed=seed, runs=runs, steps=steps, sentences=sentences, progress=report
            )
    if found.left_out:
        words = ", ".join(found.left_out)
        note(f"left out, since a model does not know it: {words}")
    conclude(found, json, _print, out, lang, columns=2)


def _print(found: Agreement) -> None:
    """The table, and a summary."""
    names = [one.model for one in found.curves]
    for condition, counts in found.sentences.items():
        rows = [["words", *names]]
        for n in LENGTHS_SHOWN:
            if counts[n]:
                rows.append([str(n), *(_percent(c.accuracy[condition][n]) for c in found.curves)])
        if len(rows) == 1:
            continue
        show.line(f"right verbs in %, {condition} in the clause", "bold")
        show.table(rows, ">" * len(rows[0]))
        show.line()
    _sparsity(found)
    _sum_up(found)


def _sparsity(found: Agreement) -> None:
    """Why n-gram models fail although they see the subject."""
    if not found.sparsity:
        return
    rows = [["", *(f"{one.order}-gram" for one in found.sparsity)]]
    rows.append(["sees the subject across", *(str(one.sees_across) for one in found.sparsity)])
    rows.append(["n-grams in the text", *(f"{one.ngrams:,}" for one in found.sparsity)])
    for n in SPARSE_LENGTHS:
        unseen = (_percent(one.unseen[n]) for one in found.sparsity)
        rows.append([f"unseen, {show.count(n, 'word')}", *unseen])
    show.line("n-grams, and what stands before the verb, never seen in such a text, in %", "bold")
    show.table(rows, "<" + ">" * len(found.sparsity))
    show.line("(in a text as long as the training text, from which nothing was kept)", "dim")
    show.line()


def _percent(fraction: float) -> str:
    return show.number(100 * fraction, 0)


def _sum_up(found: Agreement) -> None:
    from ...lab.agreement import CONDITIONS, UNSEEN_FROM

    parts = []
    for one in found.curves:
        near, far = (one.means(CONDITIONS[1], span) for span in (range(3, 11), range(11, 21)))
        if near and far:
            spread = ""
            if len(far) > 1:
                spread = f" (by run {', '.join(map(_percent, sorted(far)))})"
            parts.append(f"{one.model} {_percent(fmean(near))} and {_percent(fmean(far))}{spread}")
    if parts:
        show.paragraph(
            "Past attractors, over clauses of 3 to 10 words and of 11 to 20, % right: "
            f"{'; '.join(parts)}. Chance is 50.",
            indent=0,
        )
    if found.runs:
        learned = f"{found.steps:,} steps on {found.learned_from:,} sentences"
        means = f"the mean of {found.runs} runs" if found.runs > 1 else "one run"
        show.paragraph(
            f"Each network learned for {learned}; shown is {means}. "
            f"With clauses of {UNSEEN_FROM} words or more, none begins like a test sentence; "
            "there are too few shorter ones.",
            indent=0,
        )
