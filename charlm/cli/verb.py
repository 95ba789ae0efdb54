"""Turn a function into a verb: add -q and -v, and format its help with options in groups."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

import typer
from typer.core import TyperCommand

from ..system.threads import leave_busy_cores
from .derived_options import sign
from .options import Quiet, Verbose


class Verb(TyperCommand):
    """A command whose options are listed by group (`rich_help_panel`, as typer calls it)."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                kind = "Arguments" if parameter.param_type_name == "argument" else "Options"
                group = getattr(parameter, "rich_help_panel", None) or kind
                name = record[0].split(" ")[0] if kind == "Arguments" else record[0]
                named = (name.replace(" range>", ">"), record[1])
                groups.setdefault(group, []).append(named)
        options = groups.pop("Options", [])  # last: those that every verb has
        for group, records in [*groups.items(), ("Options", options)]:
            if records:
                with formatter.section(group):
                    formatter.write_dl(records)


def register(app: typer.Typer, verb: Callable[..., None], name: str, **settings: Any) -> None:
    """Make `verb` a command of `app`; its docstring is its help."""
    app.command(name, cls=Verb, help=help_text(verb.__doc__), **settings)(_with_talk(verb))


def _with_talk(verb: Callable[..., None]) -> Callable[..., None]:
    """The same, with -q and -v, which take effect when they are parsed."""

    @wraps(verb)
    def run(*, quiet: bool, verbose: bool, **arguments: Any) -> None:
        leave_busy_cores()  # before NumPy is loaded
        verb(**arguments)

    parameters = list(inspect.signature(verb, eval_str=True).parameters.values())
    for name, annotation in (("quiet", Quiet), ("verbose", Verbose)):
        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters.append(inspect.Parameter(name, keyword, default=False, annotation=annotation))
    sign(run, parameters)
    return run


def help_text(doc: str | None) -> str:
    r"""A raw docstring as help; a paragraph headed by \b keeps its lines, as in click."""
    return inspect.cleandoc(doc or "").replace("\\b\n", "\b\n")
