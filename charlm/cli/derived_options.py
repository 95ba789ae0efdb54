"""Derive command-line options from settings: name, type, help and group come from the field."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, TypeVar

import typer

from ..system.settings import Described

Verb = TypeVar("Verb", bound=Callable[..., None])


def option(setting: Described, default: object = None) -> Any:
    """The option that sets `setting`, for use in `Annotated`.

    A bool with `default` None (chosen automatically) gets an on and an off switch.
    """
    names = []
    if setting.kind is bool:
        name = setting.name.replace("_", "-")
        names = [f"--{name}/--no-{name}" if default is None else f"--{name}"]
    return typer.Option(
        *names,
        help=setting.sentence(),
        rich_help_panel=setting.about.group or None,
        show_default=default not in (None, False),
    )


def with_options(
    own: Mapping[str, Described], chosen: Mapping[str, Described], after: str
) -> Callable[[Verb], Verb]:
    """A decorator that gives a verb an option for each setting, instead of its `**given`.

    own: settings with their defaults; chosen: those that default to None, except those also in
    `own`. The options follow the parameter `after`.
    """

    def decorate(verb: Verb) -> Verb:
        parameters = []
        for parameter in inspect.signature(verb, eval_str=True).parameters.values():
            if parameter.kind is not inspect.Parameter.VAR_KEYWORD:
                parameters.append(parameter)
            if parameter.name == after:
                parameters += [_parameter(one, one.default) for one in own.values()]
                parameters += [
                    _parameter(one, None)
                    for one in chosen.values()
                    if one.about.option and one.name not in own
                ]
        sign(verb, parameters)
        return verb

    return decorate


def sign(verb: Callable[..., None], parameters: Iterable[inspect.Parameter]) -> None:
    """Set the signature that inspection, and so typer, sees."""
    signature = inspect.Signature(
        [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters]
    )
    verb.__signature__ = signature  # type: ignore[attr-defined]
    verb.__annotations__ = {one.name: one.annotation for one in signature.parameters.values()}


def _parameter(setting: Described, default: object) -> inspect.Parameter:
    kind = setting.kind if default is not None else setting.kind | None
    return inspect.Parameter(
        setting.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[kind, option(setting, default)],
    )
