"""`charlm lab`: the laboratory, one file per experiment."""

from __future__ import annotations

import typer

from ..lab import (
    agreement,
    bptt,
    cell,
    cliff,
    depth,
    draw,
    gradients,
    memory,
    neurons,
    quiz,
    shapes,
    start,
    timer,
)
from ..show import line
from ..verb import help_text, register

HELP = r"""Test what textbooks claim about recurrent networks.

Each prints a table and writes a picture (--out); --json prints the numbers.
"""

app = typer.Typer(name="lab", help=help_text(HELP), rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def lab(context: typer.Context) -> None:
    """Without the name of an experiment: list them."""
    if context.invoked_subcommand is None:
        line(context.get_help())


register(app, shapes.shapes, "shapes")
register(app, draw.draw, "draw")
register(app, cell.cell, "cell", context_settings={"ignore_unknown_options": True})  # add -1
register(app, memory.memory, "memory")
register(app, timer.timer, "timer")
register(app, gradients.gradients, "gradients")
register(app, cliff.cliff, "cliff")
register(app, start.start, "start")
register(app, bptt.bptt, "bptt")
register(app, depth.depth, "depth")
register(app, agreement.agreement, "agreement")
register(app, neurons.neurons, "neurons")
register(app, quiz.quiz, "quiz")
