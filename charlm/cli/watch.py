"""`charlm watch`: type, and see what the model makes of every key."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Annotated

import typer

from ..display import colours
from . import show
from .keys import END, pressed_keys
from .open_files import open_model
from .surprisal_line import on

if TYPE_CHECKING:
    from rich.text import Text

    from ..tasks.watch import Glance

HELP = "type · Enter: next line · Ctrl-U: begin anew · Esc: end"
ORDER = "hciforz"  # of what is shown of a layer
NAMES = {
    "h": "state",
    "c": "memory",
    "i": "input gate",
    "f": "forget gate",
    "o": "output gate",
    "r": "reset gate",
    "z": "update gate",
}
NAME_CELLS = 13  # columns of these names
MAX_TEXT = 2000  # characters that are kept
SHADES = " ░▒▓█"  # of a value's size where there are no colours


def watch(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL",
            help="Run directory or model file. Default: $CHARLM_MODEL, then runs/latest.",
            show_default=False,
        ),
    ] = None,
    layer: Annotated[int, typer.Option(min=0, help="Layer of the network to show.")] = 0,
    top_k: Annotated[int, typer.Option("--top-k", "-k", min=1, help="Next tokens to show.")] = 8,
) -> None:
    r"""Type, and watch the model read: gates, memory, surprisal, next tokens.

    After every key: the text on the colours of its surprisal, the state, memory and gates of the
    network's units (blue is negative, or a gate that is shut; red positive, or open), and the most
    probable next tokens, which for a model of words begin with what has been typed of the word.

    \b
    charlm watch
    charlm watch runs/lstm --layer 1 --top-k 5
    """
    from rich.live import Live

    from ..errors import require
    from ..models.activations import network_in
    from ..tasks.watch import glance

    used = open_model(model)
    lm, tokenizer = used.causal, used.tokenizer
    network = network_in(lm)
    layers = network.config.layers if network else 1
    require(layer < layers, f"layer {layer} is not there: layers are 0 to {layers - 1}")
    text = ""
    with (
        pressed_keys("charlm watch") as keys,
        Live(console=show.console(), auto_refresh=False) as live,
    ):
        live.update(_view(glance(lm, tokenizer, text, top_k=top_k), layer), refresh=True)
        for key in keys:
            if key in END:
                break
            text = _typed(text, key)
            live.update(_view(glance(lm, tokenizer, text, top_k=top_k), layer), refresh=True)


def _typed(text: str, key: str) -> str:
    """The text after a key."""
    if key in ("\x7f", "\b"):
        return text[:-1]
    if key == "\x15":  # Ctrl-U
        return ""
    if key in "\r\n":
        return f"{text}\n"
    return (text + key)[-MAX_TEXT:] if key.isprintable() else text


def _view(seen: Glance, layer: int) -> Text:
    """All that is shown, at most as wide as the terminal."""
    from rich.text import Text

    wide, high = shutil.get_terminal_size((80, 24))
    view = Text(f"{HELP}\n\n", style="dim")
    view.append_text(_written(seen, wide, max(2, high - len(seen.next.tokens) - 14)))
    view.append(f"\n\n{_numbers(seen)}\n\n", style="not dim")
    for place in sorted(seen.units, key=lambda place: ORDER.index(place[1])):
        if place[0] == layer:
            name = NAMES[place[1]]
            view.append(f"{name:<{NAME_CELLS}}", style="not dim")
            values = seen.units[place].tolist()
            if name.endswith("gate"):
                view.append(f"{sum(values) / len(values):4.0%} ", style="not dim")
                values = [2 * value - 1 for value in values]
            else:
                view.append(" " * 5)
            view.append_text(_units(values[: wide - NAME_CELLS - 6]))
            view.append("\n")
    view.append("\n")
    view.append_text(_bars(seen, wide))
    return view


def _written(seen: Glance, wide: int, lines: int) -> Text:
    """The end of the text, each token on the colour of its surprisal, and a cursor."""
    from rich.text import Text

    shown = Text(style="not dim")
    left = max(wide, wide * lines - len(seen.unfinished) - 1)
    first = len(seen.pieces)
    while first and left > 0:
        first -= 1
        left -= show.cells(seen.pieces[first]) + 1
    for piece, bits in zip(seen.pieces[first:], seen.surprisals[first:], strict=True):
        background = colours.surprisal_colour(bits)
        shown.append(show.one_line(piece.replace("\n", "↵")), style=on(background))
    shown.append(seen.unfinished)
    shown.append(" ", style="reverse")
    return shown


def _numbers(seen: Glance) -> str:
    if not seen.pieces:
        return f"entropy of the next token: {show.number(seen.next.entropy)} bits"
    last = show.one_line(seen.pieces[-1].strip(" ") or "␣").replace("\n", "↵")
    each, mean = show.number(seen.surprisals[-1]), show.number(seen.bits / len(seen.pieces))
    return (
        f"{last}: {each} bits · text: {show.number(seen.bits, 1)} bits, {mean} a token · "
        f"next: entropy {show.number(seen.next.entropy)} bits"
    )


def _units(values: list[float]) -> Text:
    """A column for each unit, from blue (−1) through black to red (1)."""
    from rich.text import Text

    shown = Text()
    for value in values:
        if show.console().no_color:
            shown.append(SHADES[min(4, round(4 * abs(value)))])
        else:
            red, green, blue = colours.signed_colour(value, colours.SIGNED_ON_BLACK)
            shown.append(" ", style=f"on rgb({red},{green},{blue})")
    return shown


def _bars(seen: Glance, wide: int) -> Text:
    from rich.text import Text

    names = [show.one_line(one.token).replace(" ", "␣") for one in seen.next.tokens]
    widest = max(map(show.cells, names), default=0)
    lines = []
    for name, one in zip(names, seen.next.tokens, strict=True):
        bar = show.bar(one.probability * max(1, wide - widest - 12))
        space = " " * (widest - show.cells(name))
        lines.append(f"{name}{space} {one.probability:7.2%} {bar}")
    return Text("\n".join(lines), style="not dim")
