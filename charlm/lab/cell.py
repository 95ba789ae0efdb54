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
SMALLEST = 1e-12  # gradient drawn: smaller ones, and 0, are drawn there


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
    cell_gradient: tuple[float, ...]  # ∂c_T/∂c_t, t = 1 … T; empty if nothing is read
    rnn_gradients: tuple[tuple[float, ...], ...]  # ∂h_T/∂h_t, t = 1 … T, by RNN

    @property
    def reading(self) -> int:
        """T, the number of the first step that reads; 0 if none does."""
        return len(self.cell_gradient)

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
            "read_at": self.reading or None,
            "cell_gradient": self.cell_gradient,
            "rnn_gradients": self.rnn_gradients,
            "steps": [step.as_dict() for step in self.steps],
        }

    def panels(self) -> list[Panel]:
        """The gates, what cell and RNNs hold, and, where something is read, the gradients."""
        panels = [
            Panel("gates", "step", "open: 1", self._gate_lines(), height=0.7),
            Panel(
                "what is held",
                "step",
                "number",
                self._lines(
                    [step.c for step in self.steps],
                    [[step.held[k] for step in self.steps] for k in range(len(self.weights))],
                ),
            ),
        ]
        if self.reading:
            title = f"gradient of what is read at step {self.reading}, |∂c_T/∂c_t| and |∂h_T/∂h_t|"
            lines = self._lines(
                _drawn(self.cell_gradient), [_drawn(one) for one in self.rnn_gradients]
            )
            panels.append(Panel(title, "step t", f"{SMALLEST:g}: that or less", lines, log_y=True))
        return panels

    def _gate_lines(self) -> list[Line]:
        at = range(1, len(self.steps) + 1)
        return [
            Line(f"{gate} ({name})", at, [getattr(s, gate) for s in self.steps], "-", k, width)
            for k, (gate, name, width) in enumerate(
                (("i", "write", 4.0), ("f", "keep", 2.4), ("o", "read", 1.0))
            )
        ]

    def _lines(self, cell: Sequence[float], rnns: Sequence[Sequence[float]]) -> list[Line]:
        """A value of the cell, and of each RNN, from the first step on."""
        tints = [COLOURS[k % len(COLOURS)] for k in (CELLS.index("rnn"), 4, 6)]
        at = range(1, len(cell) + 1)
        lines = [Line("memory cell", at, cell, "-", colour_of("lstm"), 3.0)]
        for k, (w, values) in enumerate(zip(self.weights, rnns, strict=True)):
            lines.append(Line(f"RNN, w = {w:g}", at, values, "-", tints[k % len(tints)]))
        return lines


def _drawn(gradient: Sequence[float]) -> list[float]:
    """Sizes that a logarithmic axis can show."""
    return [max(abs(one), SMALLEST) for one in gradient]


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
            found.append(Gates(name, 1, float(name == "add"), 0, _input(x)))
        elif name == "gates":
            i, f, o, x = _numbers(name, rest, 4)
            require(
                all(0 <= gate <= 1 for gate in (i, f, o)), "a gate is from 0 (shut) to 1 (open)"
            )
            found.append(Gates(name, i, f, o, _input(x)))
        elif name in ("keep", "read"):
            alone = name == "read" and not (rest and _is_number(rest[0]))
            count = 1 if alone else _numbers(name, rest, 1)[0]
            require(
                1 <= count <= MAX_STEPS and count == int(count),
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
        return not math.isnan(float(word))
    except ValueError:
        return False


def _input(x: float) -> float:
    require(abs(x) <= LARGEST, f"a number to write is from {-LARGEST:,.0f} to {LARGEST:,.0f}")
    return x


def _numbers(name: str, rest: list[str], count: int) -> list[float]:
    """Take `count` numbers from the words."""
    taken = [rest.pop(0) for _ in range(min(count, len(rest)))]
    require(
        len(taken) == count and all(map(_is_number, taken)),
        f"{name!r} is followed by {count} number{'s' if count > 1 else ''}, not "
        f"{' '.join(taken) or 'nothing'!r}",
    )
    return [float(word) for word in taken]


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
        T = next((t for t, step in enumerate(self.steps, 1) if step.o > 0), 0)
        factors = [
            [w * (1 - (step.held[k] * INPUT_WEIGHT) ** 2) for step in self.steps[:T]]
            for k, w in enumerate(self.weights)
        ]
        return ByHand(
            self.seed,
            self.noise,
            self.weights,
            tuple(self.steps),
            _gradients([step.f for step in self.steps[:T]]),
            tuple(map(_gradients, factors)),
        )


def _gradients(factors: Sequence[float]) -> tuple[float, ...]:
    """Of the last state by each: ∂s_T/∂s_t, from factors ∂s_t/∂s_{t−1}; none if there are none."""
    if not factors:
        return ()
    found = [1.0]
    for factor in reversed(factors[1:]):
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
