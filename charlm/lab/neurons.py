"""What hidden units track in a text: quotes, lines, words (Karpathy, Johnson and Fei-Fei 2016).

A network reads a text; after each token we record h of every layer, c if there is one, and the
gates. A unit tracks a property of the text by the absolute value of Pearson's correlation

    r = Σ (a_t − ā)(p_t − p̄) / sqrt(Σ (a_t − ā)² · Σ (p_t − p̄)²)

of its values a and the property's p over all tokens (for a property that is 0 or 1 that is the
point-biserial correlation). Among thousands of units some correlate by chance: how well the best
one tracks the same property moved half the text away says how well.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..display.readable import count
from ..errors import CharlmError, require
from ..lm import Ids
from ..models import model_file, model_parts
from ..models.activations import GATES, TOKENS_AT_ONCE, Place, activations
from ..models.arithmetic import Array
from ..models.recurrent import RecurrentLM, recurrent
from ..runs import locate
from ..text.tokenizer import Tokenizer
from .progress import Progress
from .properties import Floats, pieces, properties

MAX_CHARS = 20_000  # of the text, for correlations
TOKENS_SHOWN = 2000  # tokens whose colours are kept


@dataclass(frozen=True)
class Unit:
    """One number that a network computes after each token."""

    layer: int
    index: int
    what: str  # h | c | i | f | o | r | z, as in the equations of `cells.py`

    @property
    def name(self) -> str:
        """In the notation of the option `unit`: 0:37:c."""
        return f"{self.layer}:{self.index}:{self.what}"

    def as_dict(self) -> dict[str, Any]:
        return {"layer": self.layer, "unit": self.index, "what": self.what}


@dataclass(frozen=True)
class Tracked:
    """A property of the text and the units that track it best."""

    name: str
    units: tuple[tuple[Unit, float], ...]  # with r, by decreasing |r|
    chance: float  # |r| of the unit that best tracks the property moved half the text away
    marks: tuple[bool, ...] | None  # where it holds, of the tokens shown; None: it is a number

    def as_dict(self) -> dict[str, Any]:
        units = [unit.as_dict() | {"r": r} for unit, r in self.units]
        return {"property": self.name, "units": units, "chance": self.chance}


@dataclass(frozen=True)
class Neurons:
    """What the experiment found."""

    model: str
    tokens: int  # that r is taken over
    oov: int  # of these that are <UNK>
    candidates: int  # units, gates included
    tracked: tuple[Tracked, ...]
    left_out: tuple[str, ...]  # properties that do not vary in this text
    pieces: tuple[str, ...]  # the text of the first tokens
    level: str  # of these: char | byte | word | subword
    values: dict[Unit, tuple[float, ...]]  # of the units named here, after each of these tokens
    chosen: Unit | None  # the unit requested, which then is the only one

    def as_dict(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "model": self.model,
            "tokens": self.tokens,
            "oov": self.oov,
            "candidates": self.candidates,
            "properties": [one.as_dict() for one in self.tracked],
            "left_out": list(self.left_out),
        }
        if self.chosen is not None:
            values = list(self.values[self.chosen])
            found["unit"] = self.chosen.as_dict() | {"values": values}
            found["pieces"] = list(self.pieces)
        return found

    def spaced(self) -> list[str]:
        """The pieces with the spaces that a word model leaves out."""
        if self.level != "word":
            return list(self.pieces)
        return [piece if piece == "\n" else f"{piece} " for piece in self.pieces]

    def scaled(self, unit: Unit) -> list[float]:
        """Its values from −1 to 1: gates from 0 … 1, c and unbounded h by the largest here."""
        values = np.array(self.values[unit])
        if unit.what in GATES:
            values = 2 * values - 1
        else:
            values = values / max(1.0, float(np.abs(values).max(initial=0)))
        return [float(value) for value in values]


@dataclass(frozen=True)
class Subject:
    """A network whose units are examined."""

    name: str  # the file's
    lm: RecurrentLM
    tokenizer: Tokenizer


def subject(model: str | Path) -> Subject:
    """The network in a model file or run directory, even inside a mixture.

    Raises CharlmError for a model without one.
    """
    file = locate.resolve(model)
    contents = model_parts.network(model_file.read(file))
    if contents is None:
        raise CharlmError(f"{file} is an n-gram model: only networks have hidden units")
    lm = recurrent(model_file.build(contents), "this experiment")
    return Subject(str(file), lm, contents.tokenizer)


def find(
    network: Subject,
    text: str,
    *,
    top: int = 5,
    unit: str | None = None,
    progress: Progress | None = None,
) -> Neurons:
    """The `top` units that track each property of `text` best, or how well `unit` does.

    unit: layer:unit, or layer:unit:what. Raises CharlmError for a text of fewer than three tokens
    and a unit that is not there.
    """
    require(top >= 1, "top must be at least 1")
    lm, tokenizer = network.lm, network.tokenizer
    chosen = None if unit is None else parse_unit(unit, lm)
    ids = tokenizer.encode(text).astype(np.int64)
    require(len(ids) >= 3, "the text has fewer than three tokens: give a few thousand characters")
    texts = pieces(tokenizer, ids)
    given = properties(texts, tokenizer.starts_word()[ids])
    names = [name for name, values in given.items() if values.std() > 0]
    p_TP = np.stack([given[name] for name in names], axis=1) if names else np.zeros((len(ids), 0))
    # each property, and the same moved by half the text
    both = np.concatenate([p_TP, np.roll(p_TP, len(ids) // 2, axis=0)], axis=1)
    r, kept = correlate(lm, ids, both, progress)
    tracked: list[Tracked] = []
    for k, name in enumerate(names):
        by_unit = {place: found[k] for place, found in r.items()}
        best = _best(by_unit, top) if chosen is None else [chosen]
        chance = max(float(np.abs(found[len(names) + k]).max()) for found in r.values())
        with_r = tuple((u, float(by_unit[u.layer, u.what][u.index])) for u in best)
        first = given[name][:TOKENS_SHOWN]
        marks = tuple(bool(p) for p in first) if set(given[name]) <= {0.0, 1.0} else None
        tracked.append(Tracked(name, with_r, chance, marks))
    units = dict.fromkeys(u for one in tracked for u, _ in one.units)
    if chosen is not None:
        units[chosen] = None
    values = {u: tuple(map(float, kept[u.layer, u.what][:, u.index])) for u in units}
    return Neurons(
        network.name,
        len(ids),
        0 if tokenizer.unk is None else int((ids == tokenizer.unk).sum()),
        sum(found.shape[1] for found in r.values()),
        tuple(tracked),
        tuple(name for name in given if name not in names),
        tuple(texts[:TOKENS_SHOWN]),
        tokenizer.level,
        values,
        chosen,
    )


def parse_unit(text: str, lm: RecurrentLM) -> Unit:
    """The unit named by layer:unit or layer:unit:what. Raises CharlmError if there is none."""
    parts = text.split(":")
    if len(parts) not in (2, 3) or not all(part.isdecimal() for part in parts[:2]):
        raise CharlmError(f"unit {text!r} should be layer:unit or layer:unit:what, such as 0:37:c")
    unit = Unit(int(parts[0]), int(parts[1]), parts[2] if len(parts) == 3 else "h")
    config = lm.config
    require(
        unit.layer < config.layers,
        f"layer {unit.layer} is not there: the network has {count(config.layers, 'layer')}, "
        "counted from 0",
    )
    require(unit.index < config.hidden, f"units are 0 to {config.hidden - 1}, not {unit.index}")
    _, first = next(activations(lm, np.array([lm.eos])))
    kinds = [what for layer, what in first if layer == unit.layer]
    require(unit.what in kinds, f"{config.cell} has {', '.join(kinds)}, not {unit.what!r}")
    return unit


# The network ----------------------------------------------------------------------------------


def correlate(
    lm: RecurrentLM,
    ids_T: Ids,
    p_TP: Floats,
    progress: Progress | None = None,
) -> tuple[dict[Place, Floats], dict[Place, Array]]:
    """r of P properties and all units, (P, H) by place, and the first TOKENS_SHOWN values (T, H).

    A unit that never changes has r = 0.
    """
    T = len(ids_T)
    centred = p_TP - p_TP.mean(axis=0)
    spread = np.sqrt((centred**2).sum(axis=0))
    sums: dict[Place, list[Floats]] = {}
    kept: dict[Place, list[Array]] = {}
    for first, found in activations(lm, ids_T):
        for place, a_TH in found.items():
            a = a_TH.astype(np.float64)
            own = [a.sum(axis=0), (a**2).sum(axis=0), centred[first : first + len(a)].T @ a]
            before = sums.get(place)
            sums[place] = (
                own if before is None else [x + y for x, y in zip(before, own, strict=True)]
            )
            if first < TOKENS_SHOWN:
                kept.setdefault(place, []).append(a_TH[: TOKENS_SHOWN - first])
        if progress is not None:
            progress(min(1.0, (first + TOKENS_AT_ONCE) / T))
    r: dict[Place, Floats] = {}
    for place, (total, squares, product) in sums.items():
        variation = squares - total**2 / T
        constant = variation <= 1e-9 * np.maximum(squares, 1e-30)
        scale = spread[:, None] * np.sqrt(np.where(constant, 1.0, variation))
        r[place] = np.where(constant, 0.0, product / np.where(scale > 0, scale, 1.0))
    return r, {place: np.concatenate(parts) for place, parts in kept.items()}


def _best(r: dict[Place, Floats], top: int) -> list[Unit]:
    """The units of largest |r|, from (H,) by place."""
    ranked: list[tuple[float, Unit]] = []
    for (layer, what), own in r.items():
        size = np.abs(own)
        order = np.argsort(-size, kind="stable")[:top]
        ranked += [(float(size[j]), Unit(layer, int(j), what)) for j in order]
    ranked.sort(key=lambda item: -item[0])
    return [unit for _, unit in ranked[:top]]
