"""The memory cell by hand: its gates are opened and shut by whoever asks, one step at a time.

    c_t = f_t c_{t−1} + i_t x_t,   y_t = o_t c_t

Hochreiter and Schmidhuber (1997), forget gate: Gers et al. (2000); without the squashing of input
and output, so that any number can be written. Whatever is not meant to be written arrives all the
same: at every other step x_t is noise, and a shut input gate is what keeps it out.

Beside it a plain RNN of one unit has the same inputs and the same job:

    h_t = tanh(w h_{t−1} + u x_t),   what it holds: h_t / u

It has one number for keeping, w, at all steps, and no gates. And the gradient, from the step that
reads (T) back to each earlier state: ∂c_T/∂c_t = f_{t+1} … f_T, which is 1 while the forget gate is
open; of the RNN, ∂h_T/∂h_t = ∏ w (1 − h_j²), j = t + 1 … T.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

import numpy as np

from ..config import CELLS
from ..display.charts import COLOURS, Line, Panel
from ..errors import CharlmError, require
from .palette import colour_of

WRITTEN = 4.2
SCRIPT = ("write", "4.2", "keep", "200", "read", "clear", "read")
RECURRENT_WEIGHTS = (0.9, 1.0, 1.2)  # w of the plain RNNs
INPUT_WEIGHT = 0.1  # u of these: small, so that 4.2 is not yet squashed
MAX_STEPS = 10_000
LARGEST = 1e6  # of numbers written, noise and recurrent weights
SMALLEST = 1e-12  # gradient drawn


@dataclass(frozen=True)
class Gates:
    """What is done at one step."""

    name: str  # of the step: write, keep, …
    i: float
    f: float
    o: float
    x: float | None = None  # None: noise arrives


KEEP, READ, CLEAR = Gates("keep", 0, 1, 0), Gates("read", 0, 1, 1), Gates("clear", 0, 0, 0)


@dataclass(frozen=True)
class Step:
    """One step of the cell and of the RNNs."""

    name: str
    i: float
    f: float
    o: float
    x: float
    c: float
    y: float
    held: tuple[float, ...]  # h / u of each RNN

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class ByHand:
    """The whole run."""

    seed: int
    noise: float
    weights: tuple[float, ...]  # w of the RNNs
    steps: tuple[Step, ...]
    cell_gradient: tuple[float, ...]  # ∂c_T/∂c_t, t = 1 … T
    rnn_gradients: tuple[tuple[float, ...], ...]  # ∂h_T/∂h_t, t = 1 … T, by RNN

    @property
    def reading(self) -> int:
        """T, the number of the first step that reads; of the last one if none does."""
        return reading([step.o for step in self.steps])

    def spans(self) -> list[tuple[str, Step]]:
        """The numbers of steps, "2–201", that follow each other and do the same, and the last of
        them. A step that writes stands alone.
        """
        found: list[tuple[str, Step]] = []
        keys = [(s.name, s.i, s.f, s.o, t if s.i else 0) for t, s in enumerate(self.steps)]
        for _, group in groupby(range(len(keys)), key=keys.__getitem__):
            places = list(group)
            first, last = places[0], places[-1]
            numbers = f"{first + 1}–{last + 1}" if last > first else f"{first + 1}"
            found.append((numbers, self.steps[last]))
        return found

    def as_dict(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "noise": self.noise,
            "weights": self.weights,
            "read_at": self.reading,
            "cell_gradient": self.cell_gradient,
            "rnn_gradients": self.rnn_gradients,
            "steps": [step.as_dict() for step in self.steps],
        }

    def panels(self) -> list[Panel]:
        """The gates, what cell and RNNs hold, and the gradients."""
        at = range(1, len(self.steps) + 1)
        gates = [
            Line(f"{gate} ({name})", at, [getattr(s, gate) for s in self.steps], "-", k, width)
            for k, (gate, name, width) in enumerate(
                (("i", "write", 4.0), ("f", "keep", 2.4), ("o", "read", 1.0))
            )
        ]
        tints = [COLOURS[k % len(COLOURS)] for k in (CELLS.index("rnn"), 4, 6)]
        lstm = colour_of("lstm")
        held = [Line("memory cell, c", at, [s.c for s in self.steps], "-", lstm, 3.0)]
        flows = [
            Line("memory cell", range(1, self.reading + 1), self.cell_gradient, "-", lstm, 3.0)
        ]
        for k, w in enumerate(self.weights):
            label, colour = f"RNN, w = {w:g}", tints[k % len(tints)]
            held.append(Line(label, at, [s.held[k] for s in self.steps], "-", colour))
            drawn = [max(abs(g), SMALLEST) for g in self.rnn_gradients[k]]
            flows.append(Line(label, range(1, self.reading + 1), drawn, "-", colour))
        title = f"gradient of what is read at step {self.reading}, |∂c_T/∂c_t| and |∂h_T/∂h_t|"
        return [
            Panel("gates", "step", "open: 1", gates, height=0.7),
            Panel("what is held", "step", "number", held),
            Panel(title, "step t", "", flows, log_y=True),
        ]


def script(words: Sequence[str]) -> list[Gates]:
    """The steps that a line of words asks for.

    `write X`, `add X` (to what is there), `keep N`, `read [N]`, `clear`, `gates I F O X`.
    Raises CharlmError for anything else, and for more than MAX_STEPS steps.
    """
    found: list[Gates] = []
    rest = list(words)
    while rest:
        name = rest.pop(0)
        if name in ("write", "add"):
            (x,) = _numbers(name, rest, 1)
            found.append(Gates(name, 1, float(name == "add"), 0, x))
        elif name == "gates":
            i, f, o, x = _numbers(name, rest, 4)
            require(
                all(0 <= gate <= 1 for gate in (i, f, o)), "a gate is from 0 (shut) to 1 (open)"
            )
            found.append(Gates(name, i, f, o, x))
        elif name in ("keep", "read"):
            times = 1 if name == "read" and not (rest and _is_number(rest[0])) else None
            count = times or _numbers(name, rest, 1)[0]
            require(
                count == int(count) and 1 <= count <= MAX_STEPS,
                f"{name} takes a number of steps from 1 to {MAX_STEPS:,}",
            )
            found += [KEEP if name == "keep" else READ] * int(count)
        elif name == "clear":
            found.append(CLEAR)
        else:
            raise CharlmError(
                f"unknown step {name!r}: choose write X | add X | keep N | read [N] | clear | "
                "gates I F O X"
            )
    require(bool(found), "there is no step to take")
    require(len(found) <= MAX_STEPS, f"that is {len(found):,} steps; {MAX_STEPS:,} are the most")
    return found


def _is_number(word: str) -> bool:
    try:
        return abs(float(word)) <= LARGEST
    except ValueError:
        return False


def _numbers(name: str, rest: list[str], count: int) -> list[float]:
    """Take `count` numbers from the words."""
    taken = [rest.pop(0) for _ in range(min(count, len(rest)))]
    require(
        len(taken) == count and all(map(_is_number, taken)),
        f"{name!r} is followed by {count} number{'s' if count > 1 else ''}, not "
        f"{' '.join(taken) or 'nothing'!r}",
    )
    return [float(word) for word in taken]


def reading(o: Sequence[float]) -> int:
    """The number of the first step that reads, from 1; of the last one if none does."""
    return next((t for t, gate in enumerate(o, 1) if gate > 0), len(o))


class Hand:
    """The cell and its RNNs, step by step."""

    def __init__(
        self, seed: int = 1, noise: float = 1.0, weights: Sequence[float] = RECURRENT_WEIGHTS
    ) -> None:
        require(0 <= noise <= LARGEST, f"the noise must be from 0 to {LARGEST:g}")
        require(len(weights) > 0, "give at least one recurrent weight")
        require(
            all(abs(w) <= LARGEST for w in weights),
            f"a recurrent weight must be from {-LARGEST:g} to {LARGEST:g}",
        )
        self.seed, self.noise, self.weights = seed, noise, tuple(weights)
        self.rng = np.random.default_rng(seed)
        self.c = 0.0
        self.h = [0.0] * len(weights)
        self.steps: list[Step] = []

    def step(self, gates: Gates) -> Step:
        """Take one step. Noise is drawn uniformly from ±`noise`, whether it arrives or not."""
        noise = float(self.rng.uniform(-self.noise, self.noise))
        x = noise if gates.x is None else gates.x
        self.c = gates.f * self.c + gates.i * x
        self.h = [
            math.tanh(w * h + INPUT_WEIGHT * x) for w, h in zip(self.weights, self.h, strict=True)
        ]
        held = tuple(h / INPUT_WEIGHT for h in self.h)
        y = gates.o * self.c
        self.steps.append(Step(gates.name, gates.i, gates.f, gates.o, x, self.c, y, held))
        return self.steps[-1]

    def finished(self) -> ByHand:
        """The run so far. Raises CharlmError if there was no step."""
        require(bool(self.steps), "no step was taken")
        T = reading([step.o for step in self.steps])
        own = [step.f for step in self.steps[1:T]]
        factors = [
            [w * (1 - (step.held[k] * INPUT_WEIGHT) ** 2) for step in self.steps[1:T]]
            for k, w in enumerate(self.weights)
        ]
        return ByHand(
            self.seed,
            self.noise,
            self.weights,
            tuple(self.steps),
            _products(own),
            tuple(map(_products, factors)),
        )


def _products(factors: Sequence[float]) -> tuple[float, ...]:
    """For each place the product of all factors from it on, and 1 after the last."""
    found = [1.0]
    for factor in reversed(factors):
        found.append(found[-1] * factor)
    return tuple(reversed(found))


def experiment(
    steps: Sequence[Gates],
    *,
    seed: int = 1,
    noise: float = 1.0,
    weights: Sequence[float] = RECURRENT_WEIGHTS,
) -> ByHand:
    """All the steps, one after another, from an empty cell."""
    hand = Hand(seed, noise, weights)
    for gates in steps:
        hand.step(gates)
    return hand.finished()
