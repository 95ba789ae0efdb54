"""A cliff in the error surface, and what clipping the gradient does about it.

Pascanu, Mikolov and Bengio (2013): one unit, 50 steps, no input,

    x_t = w σ(x_{t−1}) + b,   x_0 = 0.5,   E(w, b) = (σ(x_50) − 0.7)²

On one side of a line in the plane of w and b the unit ends near 0, on the other near 1. Across the
line the error changes within a hair's breadth: there the gradient is huge, and one step along it
leads far away. Clipped by its norm it keeps its direction; clipped entry by entry, it does not.

Everything here is computed in double precision, without threads, so the numbers are the same
everywhere; the seed draws where the descents begin.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..display.charts import Line, Panel, Surface
from ..errors import require

Floats: TypeAlias = npt.NDArray[np.float64]

STEPS_OF_TIME = 50
START, TARGET = 0.5, 0.7
W_RANGE, B_RANGE = (4.0, 6.6), (-3.4, -1.8)  # of the picture
W_BEGIN, B_BEGIN = (5.0, 6.5), (-2.6, -2.1)  # where descents begin: the unit is on
GRID = 240  # points along each axis of the picture
LEARNING_RATE = 0.5
CLIP_AT = 0.3
DESCENT_STEPS = 400
LARGEST = 1e6  # learning rate and clip
FAR = 1.0  # for a step, in a picture that is 2.6 wide
ARRIVED_BELOW = 1e-3  # error at the end of a descent that has arrived
KINDS = ("not clipped", "norm clipped", "values clipped")


def error(w: Floats, b: Floats, steps: int = STEPS_OF_TIME) -> tuple[Floats, Floats, Floats]:
    """E, ∂E/∂w and ∂E/∂b, each of the shape of `w` and `b`.

    The derivatives are carried along with x:
    ∂x_t/∂w = σ(x_{t−1}) + w σ′(x_{t−1}) ∂x_{t−1}/∂w, and likewise for b with 1 for σ.
    """
    x = np.full(np.broadcast(w, b).shape, START)
    by_w, by_b = np.zeros_like(x), np.zeros_like(x)
    for _ in range(steps):
        s = _sigmoid(x)
        slope = w * s * (1 - s)
        x, by_w, by_b = w * s + b, s + slope * by_w, 1 + slope * by_b
    s = _sigmoid(x)
    outer = 2 * (s - TARGET) * s * (1 - s)
    return (s - TARGET) ** 2, outer * by_w, outer * by_b


def _sigmoid(x: Floats) -> Floats:
    return (1 + np.tanh(x / 2)) / 2


def clipped(gradient: Floats, kind: str, at: float) -> Floats:
    """A gradient (2,) as a descent of this kind uses it."""
    if kind == KINDS[1]:  # Pascanu et al.: g · min(1, at / ‖g‖)
        return gradient * min(1.0, at / max(float(np.linalg.norm(gradient)), 1e-300))
    if kind == KINDS[2]:  # Mikolov (2012): entry by entry
        return np.clip(gradient, -at, at)
    return gradient


@dataclass(frozen=True)
class Descent:
    """Gradient descent from one beginning."""

    kind: str
    path: tuple[tuple[float, float], ...]  # w and b: the beginning, and after each step
    errors: tuple[float, ...]  # E at each place of the path
    norms: tuple[float, ...]  # ‖∇E‖ there, before clipping

    @property
    def arrived(self) -> bool:
        return self.errors[-1] < ARRIVED_BELOW

    @property
    def longest_step(self) -> float:
        """The longest step it takes, in the plane of w and b."""
        path = np.array(self.path)
        return float(np.linalg.norm(np.diff(path, axis=0), axis=1).max())

    @property
    def thrown(self) -> bool:
        """Whether one of its steps leads far away."""
        return self.longest_step > FAR

    def as_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "begins": self.path[0],
            "ends": self.path[-1],
            "error": self.errors[-1],
            "arrived": self.arrived,
            "largest_norm": max(self.norms),
            "longest_step": self.longest_step,
        }


@dataclass(frozen=True)
class Cliff:
    """The error surface, and the descents on it."""

    seed: int
    rate: float
    clip: float
    steps: int
    w: tuple[float, ...]
    b: tuple[float, ...]
    surface: tuple[tuple[float, ...], ...]  # E, one row for each b
    steepest: float  # the largest ‖∇E‖ on the grid
    descents: tuple[Descent, ...]

    def of_kind(self, kind: str) -> list[Descent]:
        return [one for one in self.descents if one.kind == kind]

    @property
    def typical(self) -> list[Descent]:
        """One descent of each kind, from the beginning whose plain descent is thrown farthest."""
        plain = self.of_kind(KINDS[0])
        k = max(range(len(plain)), key=lambda k: plain[k].longest_step)
        return [self.of_kind(kind)[k] for kind in KINDS]

    def as_dict(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "learning_rate": self.rate,
            "clip": self.clip,
            "steps": self.steps,
            "steepest": self.steepest,
            "arrived": {kind: sum(one.arrived for one in self.of_kind(kind)) for kind in KINDS},
            "mean_error": {
                kind: statistics.fmean(one.errors[-1] for one in self.of_kind(kind))
                for kind in KINDS
            },
            "descents": [one.as_dict() for one in self.descents],
        }

    def panels(self) -> list[Panel]:
        """The surface with a path of each kind, and the error along these paths."""
        looks = (("#ff5d5d", 4.0), ("#111111", 1.6), ("#ffa53a", 0.8))  # seen where they coincide
        lines, courses = [], []
        for one, (colour, width) in zip(self.typical, looks, strict=True):
            w, b = zip(*one.path, strict=True)
            lines.append(Line(one.kind, w, b, "o-", colour, width))
            courses.append(Line(one.kind, range(len(one.errors)), one.errors, "-", colour, width))
        logs = np.log10(np.maximum(self.surface, 1e-6))
        return [
            Panel(
                "error after 50 steps, and three descents from one beginning",
                "w",
                "b",
                lines,
                x_range=(self.w[0], self.w[-1]),
                y_range=(self.b[0], self.b[-1]),
                surface=Surface("log₁₀ E", self.w, self.b, logs.tolist()),
                height=1.6,
            ),
            Panel("error along the descents", "step", "E", courses, log_y=True),
        ]


def experiment(
    *,
    seed: int = 1,
    beginnings: int = 10,
    rate: float = LEARNING_RATE,
    clip: float = CLIP_AT,
    steps: int = DESCENT_STEPS,
) -> Cliff:
    """The surface, and `beginnings` descents of each kind, of `steps` steps each.

    rate: the learning rate, fixed. clip: the largest norm, or the largest value of an entry.
    Raises CharlmError for numbers that are not above 0, or larger than LARGEST.
    """
    require(min(beginnings, steps) >= 1, "beginnings and steps must be at least 1")
    require(
        all(0 < number <= LARGEST for number in (rate, clip)),
        f"the learning rate and the clip must be above 0 and at most {LARGEST:g}",
    )
    w, b = np.linspace(*W_RANGE, GRID), np.linspace(*B_RANGE, GRID)
    surface, by_w, by_b = error(w[None, :], b[:, None])
    rng = np.random.default_rng(seed)
    places = rng.uniform((W_BEGIN[0], B_BEGIN[0]), (W_BEGIN[1], B_BEGIN[1]), (beginnings, 2))
    descents = [_descend(place, kind, rate, clip, steps) for kind in KINDS for place in places]
    return Cliff(
        seed,
        rate,
        clip,
        steps,
        tuple(w.tolist()),
        tuple(b.tolist()),
        tuple(map(tuple, surface.tolist())),
        float(np.hypot(by_w, by_b).max()),
        tuple(descents),
    )


def _descend(begin: Floats, kind: str, rate: float, clip: float, steps: int) -> Descent:
    place, path, found = begin, [], []
    for step in range(steps + 1):
        E, *slopes = (float(value) for value in error(place[0], place[1]))
        gradient = np.array(slopes)
        path.append((float(place[0]), float(place[1])))
        found.append((E, float(np.linalg.norm(gradient))))
        if step < steps:
            place = place - rate * clipped(gradient, kind, clip)
    errors, norms = zip(*found, strict=True)
    return Descent(kind, tuple(path), tuple(errors), tuple(norms))
