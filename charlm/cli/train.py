"""`charlm train`: train a recurrent network."""

from __future__ import annotations

import sys
import textwrap
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..config import DURATION, OPTIMISATION
from ..errors import CharlmError
from ..runs.options import TrainRunOptions, divide, text_names, train_settings
from ..system.settings import settings_of
from .derived_options import with_options
from .exit_codes import INTERRUPTED
from .options import JsonOutcome
from .show import clock, count, emit_json, line, number
from .talk import note, talk
from .verdict import verdict

if TYPE_CHECKING:
    from ..runs.events import Outcome, Plan


class LogTo(StrEnum):
    """Where numbers of training can go."""

    TENSORBOARD = "tensorboard"
    MLFLOW = "mlflow"


@with_options(settings_of(TrainRunOptions), train_settings(), after="corpus")
def train(
    corpus: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CORPUS",
            help="Text files, directories or patterns, or - for stdin.",
            show_default=False,
        ),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(
            help="Continue this run as if it had never been interrupted.",
            rich_help_panel=DURATION,
            show_default=False,
        ),
    ] = None,
    no_allocator: Annotated[
        bool,
        typer.Option(
            "--no-allocator",
            rich_help_panel=OPTIMISATION,
            help="Leave the C library's memory settings alone.",
        ),
    ] = False,
    log: Annotated[
        list[LogTo] | None,
        typer.Option(help="Also log the numbers of training there. May be repeated."),
    ] = None,
    json: JsonOutcome = False,
    **given: Any,
) -> None:
    r"""Train a model on text. Settings you leave out fit text and time.

    \b
    charlm train corpus.txt
    charlm train corpus.txt --minutes 5
    charlm train a.txt b.txt --level word --min-count 3 --out runs/words
    charlm train big.txt.gz --epochs 2
    charlm train new.txt --init-from runs/old --keep old.txt
    charlm train "reviews/*.jsonl" --field text
    charlm train --resume runs/corpus
    """
    _check(corpus, resume, given)
    from ..system import allocator

    if no_allocator:
        allocator.turn_off()
    allocator.relaunch()
    from ..training.run import resume as resume_run
    from ..training.run import train as begin
    from ..training.trackers import tracked
    from .training_display import Display

    names = [one.value for one in log or []]
    with Display() as display, tracked(names, display) as events:
        if resume is not None:
            outcome = resume_run(resume, events=events)
        else:
            outcome = begin(corpus or [], events=events, began=talk.began, **given)
    if outcome.tokens_per_second == 0:
        note(f"{outcome.run} was already finished, after {outcome.steps:,} steps: nothing to do")
    _report(outcome, json, display.plan, given.get("minutes"))
    if outcome.interrupted:
        note(
            f"stopped at step {outcome.steps:,}. Resume with:  charlm train --resume {outcome.run}"
        )
        raise typer.Exit(INTERRUPTED)


def _check(corpus: list[str] | None, resume: str | None, given: dict[str, Any]) -> None:
    """Raise errors that can be found before importing torch."""
    options, settings = divide(TrainRunOptions, train_settings(), given)
    if resume is None:
        text_names(corpus or [])
        return
    defaults = TrainRunOptions().as_dict()
    given_options = [name for name, value in options.as_dict().items() if value != defaults[name]]
    for name in ["corpus"] * bool(corpus) + given_options + list(settings):
        raise CharlmError(f"a resumed run keeps its own settings: leave out `{name}`")


def _report(outcome: Outcome, json: bool, plan: Plan | None, minutes: float | None) -> None:
    """The outcome, beside what was planned."""
    best = outcome.best
    pseudo = plan is not None and plan.network.bidirectional
    if json:
        emit_json(
            {
                "run": str(outcome.run),
                "model": str(outcome.model),
                "best": best,
                "best_step": outcome.best_step,
                "network": outcome.network,
                "guessing_bits_per_char": outcome.guessing_bits_per_char,
                "ngram": None if outcome.baseline is None else outcome.baseline.as_dict(),
                **({"kept_bits_per_char": list(outcome.kept)} if outcome.kept else {}),
                **({"pseudo": True} if pseudo else {}),
                "seconds": outcome.seconds,
                "steps": outcome.steps,
                "planned_steps": outcome.planned_steps,
                "ended_early": outcome.ended_early,
                "tokens_per_second": outcome.tokens_per_second,
                "interrupted": outcome.interrupted,
            },
        )
        return
    rows = [
        ("validation, best", f"step {outcome.best_step:,} of {outcome.steps:,}"),
        ("  bits/char", number(best["bits_per_char"], 3)),
        ("  nats/char", number(best["nats_per_char"], 3)),
        ("  perplexity", f"{number(best['perplexity'])} per token"),
    ]
    if best["oov"]:
        without = number(best["perplexity_excluding_oov"])
        rows.append(("", f"{without} without {count(best['oov'], 'unknown token')}"))
    if plan is not None and plan.config.valid_tokens < len(plan.corpus.valid):
        of = len(plan.corpus.valid)
        rows.append(("", f"on the first {plan.config.valid_tokens:,} of its {of:,} tokens"))
    if outcome.kept:
        before, after = (number(value, 3) for value in outcome.kept)
        alone = " (the network alone)" if outcome.network else ""
        rows.append(("old text", f"{after} bits/char; {before} before this training{alone}"))
    if outcome.tokens_per_second:
        speed = f"{outcome.tokens_per_second:,.0f} tokens/s over {outcome.seconds:,.0f} s"
        rows.append(("speed", speed))
    if minutes is not None:
        took, planned = clock(time.monotonic() - talk.began), clock(60 * minutes)
        steps = f"{count(outcome.steps, 'step')} of {outcome.planned_steps:,} planned"
        rows.append(("time", f"{took} of {planned} planned, {steps}"))
    rows += [
        ("model", str(outcome.model)),
        ("curves", str(outcome.run / "curves.png")),
        ("next", 'charlm sample     charlm score "your sentence"'),
    ]
    if pseudo:
        rows[0] = (rows[0][0], f"{rows[0][1]}; each token given all others:")
        rows[1:4] = [("  pseudo-perplexity", f"{number(best['perplexity'])} per token")]
        rows[-1] = ("next", 'charlm fill "a sentence with a ___ in it"')
    for name, value in rows:
        line(f"{name:18}{value}" if len(name) < 18 else f"{name}  {value}")
    if plan is not None:
        line()
        line(textwrap.fill(" ".join(verdict(outcome, plan)), 78))
    sys.stdout.flush()
