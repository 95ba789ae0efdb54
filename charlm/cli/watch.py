"""`charlm watch`: type, and see what the model makes of every key."""

from __future__ import annotations

import shutil
from itertools import accumulate
from typing import TYPE_CHECKING, Annotated

import typer

from ..display import colours
from ..display.readable import cut
from . import show
from .keys import pressed_keys
from .open_files import open_model
from .options import ModelArgument
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
NAME_CELLS, PERCENT_CELLS = 13, 5  # columns of these names, and of how open a gate is
MAX_TEXT = 4000  # characters that are kept: of a longer text, the last half of so many
MIN_LINES = 2  # of the text that are shown
LONGEST_NAME = 24  # characters of a token among the numbers
SHADES = " ░▒▓█"  # of a value's size where there are no colours
CURSOR = "█"


def watch(
    model: ModelArgument = None,
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
    from ..tasks.watch import Watcher

    used = open_model(model)
    network = network_in(used.causal)
    layers = network.config.layers if network else 1
    require(
        layer < layers,
        f"layer {layer} is not there: the network has {show.count(layers, 'layer')}, counted "
        "from 0",
    )
    watcher = Watcher(used.causal, used.tokenizer, top_k=top_k)
    text = ""
    with (
        pressed_keys("charlm watch") as pressed,
        Live(console=show.console(), auto_refresh=False) as live,
    ):
        live.update(_view(watcher.glance(text), layer), refresh=True)
        for keys in pressed:
            text = _typed(text, keys)
            live.update(_view(watcher.glance(text), layer), refresh=True)


def _typed(text: str, keys: str) -> str:
    """The text after some keys."""
    for key in keys:
        if key in ("\x7f", "\b"):
            text = text[:-1]
        elif key == "\x15":  # Ctrl-U
            text = ""
        elif key in "\r\n":
            text += "\n"
        elif key.isprintable() or key == "\t":
            text += key
    return text if len(text) <= MAX_TEXT else text[-MAX_TEXT // 2 :]


def _view(seen: Glance, layer: int) -> Text:
    """All that is shown, no larger than the terminal unless that is very small."""
    from rich.text import Text

    wide, high = shutil.get_terminal_size((80, 24))
    about = _wrapped(Text(HELP, style="dim"), wide)
    numbers = _wrapped(Text(_numbers(seen)), wide)
    units = _units(seen, layer, wide)
    left = high - 1 - sum(len(part) + 1 for part in (about, numbers, units) if part) - 1
    bars = _bars(seen, wide)[: max(1, left - MIN_LINES)]
    text = _written(seen, wide, max(MIN_LINES, left - len(bars)))
    parts = [about, text, numbers, units, bars]
    return Text("\n\n").join(Text("\n").join(part) for part in parts if part)


def _wrapped(text: Text, wide: int) -> list[Text]:
    return list(text.wrap(show.console(), wide))


def _shown(token: str) -> str:
    return show.one_line(token.replace("\n", "↵"))


def _written(seen: Glance, wide: int, lines: int) -> list[Text]:
    """The end of the text, each token on the colour of its surprisal, and a cursor."""
    from rich.text import Text

    unfinished = _shown(seen.unfinished)
    pieces = list(map(_shown, seen.pieces))
    sizes = accumulate(map(show.cells, reversed(pieces)), initial=show.cells(unfinished))
    first = len(pieces) - sum(size < wide * lines for size in list(sizes)[:-1])
    shown = Text()
    for piece, bits in zip(pieces[first:], seen.surprisals[first:], strict=True):
        shown.append(piece, style=on(colours.surprisal_colour(bits)))
    shown.append(unfinished + CURSOR)
    return _wrapped(shown, wide)[-lines:]


def _numbers(seen: Glance) -> str:
    if not seen.pieces:
        return f"entropy of the next token: {show.number(seen.next.entropy)} bits"
    last = cut(_shown(seen.pieces[-1].strip(" ") or "␣"), LONGEST_NAME)
    each, mean = show.number(seen.surprisals[-1]), show.number(seen.bits / len(seen.pieces))
    return (
        f"{last}: {each} bits · text: {show.number(seen.bits, 1)} bits, {mean} a token · "
        f"next: entropy {show.number(seen.next.entropy)} bits"
    )


def _units(seen: Glance, layer: int, wide: int) -> list[Text]:
    """A line for the state, the memory and each gate of a layer."""
    from rich.text import Text

    lines = []
    for place in sorted(seen.units, key=lambda place: ORDER.index(place[1])):
        if place[0] != layer:
            continue
        name, percent = NAMES[place[1]], ""
        values = seen.units[place].tolist()
        if name.endswith("gate"):
            percent = f"{sum(values) / len(values):4.0%}"
            values = [2 * value - 1 for value in values]
        line = Text(f"{name:<{NAME_CELLS}}{percent:<{PERCENT_CELLS}}")
        lines.append(line.append_text(_cells(values, wide - len(line))))
    return lines


def _cells(values: list[float], room: int) -> Text:
    """A column for each unit, from blue (−1) through black to red (1); … where there are more."""
    from rich.text import Text

    shown = Text()
    for value in values if len(values) <= room else values[: max(0, room - 1)]:
        if show.console().no_color:
            shown.append(SHADES[min(4, round(4 * abs(value)))])
        else:
            red, green, blue = colours.signed_colour(value, colours.SIGNED_ON_BLACK)
            shown.append(" ", style=f"on rgb({red},{green},{blue})")
    return shown if len(values) <= room else shown.append("…")


def _bars(seen: Glance, wide: int) -> list[Text]:
    from rich.text import Text

    longest = max(8, wide // 3)
    names = [cut(_shown(one.token).replace(" ", "␣"), longest) for one in seen.next.tokens]
    widest = max(map(show.cells, names), default=0)
    lines = []
    for name, one in zip(names, seen.next.tokens, strict=True):
        bar = show.bar(one.probability * max(1, wide - widest - 12))
        space = " " * (widest - show.cells(name))
        lines.append(Text(f"{name}{space} {one.probability:7.2%} {bar}"))
    return lines
