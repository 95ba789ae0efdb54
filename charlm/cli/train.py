"""`charlm train`: from a text file to a model."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import CharlmError
from .common import INTERRUPTED, Encoding, Errors, Quiet, Verbose, note
from .show import emit_json, line, number

if TYPE_CHECKING:
    from ..runs.events import Outcome

TEXT, SIZE, TIME, OPTIMISATION = "Text", "Network", "How long", "Optimisation"


DISPLAY_OPTIONS = ("json", "quiet", "verbose", "no_allocator")  # of the command, not of the run


def _option(panel: str, help: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, help=help, rich_help_panel=panel, show_default=False, **more)


def train(
    corpus: Annotated[
        list[str] | None,
        typer.Argument(metavar="CORPUS", help="Text files, or - for stdin.", show_default=False),
    ] = None,
    out: Annotated[
        str | None, _option(TEXT, "Directory of the run; without it a fresh one under runs/.")
    ] = None,
    resume: Annotated[
        str | None, _option(TIME, "Go on with this run, as if it had never stopped.")
    ] = None,
    valid: Annotated[
        str | None, _option(TEXT, "Validation text; without it the corpus's last tenth.")
    ] = None,
    level: Annotated[str | None, _option(TEXT, "Token: char, word, byte or subword.")] = None,
    vocab_size: Annotated[int | None, _option(TEXT, "Most kinds of token to keep.", min=0)] = None,
    min_count: Annotated[
        int | None, _option(TEXT, "Kinds seen less often become <UNK>.", min=1)
    ] = None,
    lower: Annotated[
        bool | None, _option(TEXT, "Fold words to lower case.", "--lower/--no-lower")
    ] = None,
    split: Annotated[
        str | None, _option(TEXT, "Words end at: whitespace, or unicode (punctuation too).")
    ] = None,
    algorithm: Annotated[str | None, _option(TEXT, "Subwords by: unigram or bpe.")] = None,
    encoding: Encoding = "utf-8",
    errors: Errors = "strict",
    minutes: Annotated[float | None, _option(TIME, "Minutes in all, start to finish.")] = None,
    epochs: Annotated[float | None, _option(TIME, "Passes over the text.")] = None,
    steps: Annotated[int | None, _option(TIME, "Optimiser steps.")] = None,
    patience: Annotated[
        int | None, _option(TIME, "Stop after so many validations without a better one.")
    ] = None,
    eval_every: Annotated[int | None, _option(TIME, "Steps between validations.", min=1)] = None,
    cell: Annotated[str | None, _option(SIZE, "rnn, rnn-relu, lstm, lstm-peephole or gru.")] = None,
    layers: Annotated[int | None, _option(SIZE, "Recurrent layers.")] = None,
    hidden: Annotated[int | None, _option(SIZE, "Units a layer.")] = None,
    embed: Annotated[int | None, _option(SIZE, "Width of a token's vector.")] = None,
    dense: Annotated[
        int | None, _option(SIZE, "Hidden layers between the recurrent ones and the softmax.")
    ] = None,
    tied: Annotated[
        bool | None,
        _option(SIZE, "One matrix for token vectors and softmax.", "--tied/--no-tied"),
    ] = None,
    bidirectional: Annotated[
        bool | None,
        _option(
            SIZE,
            "Read from both sides, to fill blanks.",
            "--bidirectional/--no-bidirectional",
        ),
    ] = None,
    learned_start: Annotated[
        bool | None,
        _option(SIZE, "Learn the first hidden state.", "--learned-start/--no-learned-start"),
    ] = None,
    dropout: Annotated[
        float | None,
        _option(SIZE, "Dropout between layers and before the softmax; of token vectors less."),
    ] = None,
    dropout_input: Annotated[float | None, _option(SIZE, "… of token vectors.")] = None,
    dropout_between: Annotated[float | None, _option(SIZE, "… between layers.")] = None,
    dropout_output: Annotated[float | None, _option(SIZE, "… before the softmax.")] = None,
    weight_drop: Annotated[
        float | None, _option(SIZE, "… of weights from hidden state to hidden state.")
    ] = None,
    batch_size: Annotated[int | None, _option(OPTIMISATION, "Parallel streams.")] = None,
    bptt: Annotated[
        int | None, _option(OPTIMISATION, "Tokens a gradient flows back (truncated BPTT).")
    ] = None,
    optimizer: Annotated[str | None, _option(OPTIMISATION, "muon, adamw, adam or sgd.")] = None,
    lr: Annotated[float | None, _option(OPTIMISATION, "Peak learning rate.")] = None,
    schedule: Annotated[str | None, _option(OPTIMISATION, "cosine, plateau or constant.")] = None,
    warmup: Annotated[int | None, _option(OPTIMISATION, "Steps of warm-up.")] = None,
    momentum: Annotated[float | None, _option(OPTIMISATION, "Momentum of sgd.")] = None,
    weight_decay: Annotated[float | None, _option(OPTIMISATION, "Of matrices.")] = None,
    clip_norm: Annotated[
        float | None, _option(OPTIMISATION, "Scale gradients whose L2 norm is above this.")
    ] = None,
    clip_max: Annotated[
        float | None, _option(OPTIMISATION, "Scale gradients whose largest entry is above this.")
    ] = None,
    clip_value: Annotated[
        float | None, _option(OPTIMISATION, "Clamp every entry of the gradient to ± this.")
    ] = None,
    precision: Annotated[
        str | None, _option(OPTIMISATION, "Matrix products in fp32 or bf16; else the faster.")
    ] = None,
    seed: Annotated[
        int | None, _option(OPTIMISATION, "Same seed, steps and precision: same run.", min=0)
    ] = None,
    device: Annotated[str, _option(OPTIMISATION, "auto, cpu or cuda.")] = "auto",
    threads: Annotated[int | None, _option(OPTIMISATION, "CPU threads.", min=1)] = None,
    with_ngram: Annotated[
        bool,
        typer.Option(
            "--with-ngram",
            help="At the end, mix in an n-gram model of the same text (words: and a cache).",
        ),
    ] = False,
    no_allocator: Annotated[
        bool,
        typer.Option(
            "--no-allocator",
            rich_help_panel=OPTIMISATION,
            help="Leave the C library's memory settings alone.",
        ),
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print the outcome as JSON, last line of stdout.")
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    r"""Train a model on text; what is not said is chosen from the text.

    \b
    charlm train corpus.txt
    charlm train corpus.txt --minutes 5
    charlm train a.txt b.txt --level word --min-count 3 --out runs/words
    zcat big.txt.gz | charlm train - --epochs 2
    charlm train --resume runs/corpus
    """
    given = {name: value for name, value in locals().items() if value is not None}
    _check(given)
    from ..system import allocator

    if no_allocator:
        allocator.turn_off()
    allocator.relaunch()
    from ..training.run import resume as go_on
    from ..training.run import train as begin
    from .training_display import Display

    for name in ("resume", *DISPLAY_OPTIONS):
        given.pop(name, None)
    with Display() as display:
        if resume is not None:
            outcome = go_on(resume, events=display)
        else:
            outcome = begin(given.pop("corpus"), events=display, **given)
    if outcome.tokens_per_second == 0:
        note(f"{outcome.run} was finished already: {outcome.steps:,} steps. Nothing was left to do")
    pseudo = display.plan is not None and display.plan.network.bidirectional
    _report(outcome, json, pseudo)
    if outcome.interrupted:
        note(f"stopped at step {outcome.steps:,}. Go on with:  charlm train --resume {outcome.run}")
        raise typer.Exit(INTERRUPTED)


def _check(given: dict[str, Any]) -> None:
    """What can be refused before torch is brought in."""
    if given.get("device", "auto") not in ("auto", "cpu", "cuda"):
        raise CharlmError(f"unknown device {given['device']!r}: choose auto | cpu | cuda")
    if "resume" in given:
        usual = {n: p.default for n, p in inspect.signature(train).parameters.items()}
        kept = {"resume", *DISPLAY_OPTIONS}
        other = [n for n, v in given.items() if n not in kept and v != usual[n]]
        if other:
            name = other[0].replace("_", "-")
            raise CharlmError(
                f"--resume goes on under the run's own settings: leave out "
                f"{'CORPUS' if name == 'corpus' else '--' + name}"
            )
    elif not given.get("corpus"):
        raise CharlmError("no text given. Name a file, or - for stdin (see 'charlm train --help')")


def _report(outcome: Outcome, json: bool, pseudo: bool) -> None:
    """The outcome; `pseudo`: of a model that reads from both sides."""
    best = outcome.best
    if json:
        emit_json(
            {
                "run": str(outcome.run),
                "model": str(outcome.model),
                "best": best,
                "best_step": outcome.best_step,
                "network": outcome.network,
                **({"pseudo": True} if pseudo else {}),
                "seconds": outcome.seconds,
                "steps": outcome.steps,
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
        rows.append(("", f"{without} without the {best['oov']:,} unknown ones"))
    if outcome.network is not None:
        alone = number(outcome.network["nats_per_char"], 3)
        rows.append(("", f"{alone} nats/char by the network alone, without the n-grams"))
    rows += [
        ("speed", f"{outcome.tokens_per_second:,.0f} tokens/s over {outcome.seconds:,.0f} s"),
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
    sys.stdout.flush()
