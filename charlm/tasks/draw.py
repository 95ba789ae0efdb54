"""A model's network drawn over a text: unrolled in time, and the inside of a cell at a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..display.cell_diagram import CELLS
from ..display.diagram import Diagram
from ..display.unrolled import Column, unrolled
from ..errors import CharlmError, require
from ..lm import Ids, LanguageModel, Nats
from ..models.activations import network_in
from ..models.arithmetic import Array, times
from ..models.bidirectional import BidirectionalLM
from ..models.recurrent import RecurrentLM, RecurrentState, Stack
from ..text.tokenizer import Tokenizer

UNITS = 8  # shown of every layer: those that change most
MAX_STEPS = 10  # tokens drawn


@dataclass(frozen=True)
class Passage:
    """What a stack of layers does over a text; every array is (T, H), or (T, E) for "x"."""

    layers: tuple[Mapping[str, Array], ...]  # x, s before, c before, gates, g or n, c, s


@dataclass(frozen=True)
class Drawing:
    """A network at work on a text."""

    tokens: tuple[str, ...]
    network: Diagram
    cells: tuple[Diagram, ...]  # of the lowest layer, after each token; none in both directions
    left_out: int  # tokens of the text that are not drawn


def draw(lm: LanguageModel, tokenizer: Tokenizer, text: str) -> Drawing:
    """The network of a model, alone or in a mixture, while it reads the beginning of a text.

    Raises CharlmError if there is no network in the model, or no token in the text.
    """
    whole = tokenizer.encode(text)
    ids, left_out = whole[:MAX_STEPS], max(0, len(whole) - MAX_STEPS)
    require(len(ids) > 0, "give some text to read")
    names = tuple(_name(tokenizer, i) for i in ids.tolist())
    if isinstance(lm, BidirectionalLM):
        return Drawing(names, _both_ways(lm, tokenizer, ids, names), (), left_out)
    network = network_in(lm)
    if network is None:
        raise CharlmError("there is no recurrent network in this model: only such can be drawn")
    passage = follow(network.stack, network.start(1), ids)
    cell = CELLS[network.config.cell]
    units = _changing(passage.layers[0]["s"])
    cells = tuple(
        cell(
            {
                name: _fit(values[t, :UNITS] if name == "x" else values[t, units])
                for name, values in passage.layers[0].items()
            }
        )
        for t in range(len(ids))
    )
    return Drawing(names, _one_way(network, tokenizer, passage, names), cells, left_out)


def follow(stack: Stack, state: RecurrentState, ids_T: Ids) -> Passage:
    """Everything that the layers compute while they read T tokens."""
    x_TE = stack.embedding[ids_T]
    layers: list[dict[str, Array]] = []
    for k, cell in enumerate(stack.cells):
        if k:
            x_TE = stack.top([layer["s"] for layer in layers])
        inputs_TG = cell.inputs(x_TE)
        now, rows = state.layers[k], []
        for t in range(len(ids_T)):
            x = inputs_TG[t : t + 1]
            row = {"s before": now[0], **cell.gates(x, now), **cell.candidate(x, now)}
            if len(now) > 1:
                row["c before"] = now[1]
            now = cell.step(x, now)
            row |= dict(zip("sc", now, strict=False))
            rows.append(row)
        layers.append(
            {"x": x_TE} | {name: np.concatenate([r[name] for r in rows]) for name in rows[0]}
        )
    return Passage(tuple(layers))


def _one_way(
    network: RecurrentLM, tokenizer: Tokenizer, passage: Passage, names: Sequence[str]
) -> Diagram:
    """Columns that answer with the most probable next token."""
    states = [layer["s"] for layer in passage.layers]
    top = network.stack.top(states)
    dense, u = [], top
    for weight, bias in network.head.dense:
        u = np.tanh(times(weight, u) + bias)
        dense.append(u)
    nats_TV = network.head.predict(top)
    rows = [_shown(values) for values in [*states, *dense]]
    columns = _columns(tokenizer, names, rows, nats_TV)
    labels = [_level("s", k, len(states)) for k in range(len(states))]
    labels += [_level("u", k, len(dense)) for k in range(len(dense))]
    return unrolled(columns, labels, upright=range(len(states), len(rows)))


def _both_ways(
    lm: BidirectionalLM, tokenizer: Tokenizer, ids: Ids, names: Sequence[str]
) -> Diagram:
    """Columns that answer with the most probable token in this place, given all others."""
    begin = lm.left.advance(lm.left.initial, np.array([lm.eos]))
    there = follow(lm.left, begin, ids)
    back = follow(lm.right, lm.right.empty(1), ids[::-1])
    states = [layer["s"] for layer in there.layers] + [layer["s"][::-1] for layer in back.layers]
    rows = [_shown(values) for values in states]
    nats_TV = lm.predict(ids)
    columns = _columns(tokenizer, names, rows, nats_TV)
    depth = len(there.layers)
    labels = [_level(arrow, k, depth) for arrow in ("s→", "s←") for k in range(depth)]
    return unrolled(columns, labels, backward=range(depth, 2 * depth))


def _columns(
    tokenizer: Tokenizer,
    names: Sequence[str],
    rows: Sequence[Sequence[tuple[float, ...]]],
    nats_TV: Nats,
) -> list[Column]:
    """A column for every token, with its states and the most probable answer."""
    return [
        Column(
            name,
            tuple(row[t] for row in rows),
            _name(tokenizer, int(nats_V.argmax())),
            float(np.exp(nats_V.max())),
        )
        for t, (name, nats_V) in enumerate(zip(names, nats_TV, strict=True))
    ]


def _level(name: str, k: int, depth: int) -> str:
    return name if depth == 1 else f"{name} {k + 1}"


def _name(tokenizer: Tokenizer, token: int) -> str:
    if token == tokenizer.eos:
        return "</s>"
    name = tokenizer.token(token).replace("▁", " ")
    return name if name.strip() else name.replace(" ", "␣")


def _changing(values_TH: Array) -> Ids:
    """The units that change most over the text, in their order."""
    units = np.argsort(-values_TH.std(0), kind="stable")[:UNITS]
    return np.sort(units)


def _shown(values_TH: Array) -> list[tuple[float, ...]]:
    return [_fit(row) for row in values_TH[:, _changing(values_TH)]]


def _fit(values: Array) -> tuple[float, ...]:
    """Values from −1 to 1; what is larger, such as a memory c, through tanh."""
    largest = float(np.abs(values).max(initial=0))
    return tuple((np.tanh(values) if largest > 1 else values).tolist())
