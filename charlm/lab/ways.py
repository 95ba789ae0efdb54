"""Ways of training a network of `lag_network`, and what each has learned after how much work.

The work is counted in gradient evaluations: one pass there and back over BATCH sentences. Each
product with the curvature matrix counts as one as well, and so does each loss that a curvature
method looks at; over more sentences, each counts as that many more.

RATES, and the damping, the number of products and the sentences of the curvature method, are those
that soonest reached GOOD with both of two seeds, 100 and 101, which the experiment does not use by
itself, on a lag of 20 from the "uniform" start. Tried were

    SGD           0.1, 0.3, 1, 3, 10
    momentum      0.01, 0.03, 0.1, 0.3, 1     (Nesterov's, 0.95: Sutskever et al. 2013)
    Adam          0.0003, 0.001, 0.003, 0.01, 0.03
    Hessian-free  λ from 0.01 to 1, 10 to 40 products, 256 to 1,024 sentences: eight settings

All gradients but those of the curvature method are clipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from .echo import spectral_radius
from .hessian_free import hessian_free
from .lag_network import Asked, LagNetwork, accuracy, draw

Curve: TypeAlias = tuple[tuple[int, float], ...]  # gradient evaluations, accuracy

BATCH = 128
CURVATURE_BATCH = 512
CLIP_NORM = 1.0
EVERY = 10  # gradient evaluations from one point of a curve to the next, at least
TEST_SENTENCES = 1000
GOOD = 0.99
KEPT = 10  # points of a curve in a row that are GOOD, after which training stops

SGD, MOMENTUM, ADAM, CURVATURE = "SGD", "momentum", "Adam", "Hessian-free"
WAYS = (SGD, MOMENTUM, ADAM, CURVATURE)
RATES = {SGD: 3.0, MOMENTUM: 0.3, ADAM: 1e-2}
NESTEROV = 0.95


@dataclass(frozen=True)
class Job:
    """One network to train."""

    start: str
    way: str
    lag: int
    seed: int
    budget: int  # gradient evaluations
    rate: float = 0.0


@dataclass(frozen=True)
class Trial:
    """How one training went."""

    start: str
    way: str
    seed: int
    curve: Curve  # accuracy on new sentences
    radii: tuple[float, float] | None  # spectral radius of W before and after; None: it has gates

    @property
    def accuracy(self) -> float:
        """At the end."""
        return self.curve[-1][1]

    @property
    def good_after(self) -> int | None:
        """The gradient evaluations after which GOOD was first reached, if it was."""
        return next((spent for spent, right in self.curve if right >= GOOD), None)


def train(job: Job) -> Trial:
    """Train a network in one way, in a worker process, and test it as it learns."""
    network = LagNetwork(job.start, job.lag, job.seed)
    rng = np.random.default_rng((job.seed, job.lag))
    asked = draw(np.random.default_rng((job.seed, job.lag, 1)), job.lag, TEST_SENTENCES)
    before = radius_of(network)
    curve = follow(network, updating(network, job, rng), job.budget, asked)
    after = radius_of(network)
    radii = None if before is None or after is None else (before, after)
    return Trial(job.start, job.way, job.seed, curve, radii)


def radius_of(network: LagNetwork) -> float | None:
    """The spectral radius of W, where there is one W."""
    weight_GH = network.recurrent.weight_hh_l0
    assert isinstance(weight_GH, torch.Tensor)
    square = weight_GH.shape[0] == weight_GH.shape[1]
    return spectral_radius(weight_GH.detach()) if square else None


def updating(network: nn.Module, job: Job, rng: np.random.Generator) -> Iterator[int]:
    """Update the network, again and again; yields the gradient evaluations of each update."""
    if job.way == CURVATURE:
        per_pass = CURVATURE_BATCH // BATCH
        updates = hessian_free(network, lambda: draw(rng, job.lag, CURVATURE_BATCH))
        return (passes * per_pass for passes in updates)
    optimizer = optimizer_of(network, job.way, job.rate)
    return descend(network, optimizer, lambda: draw(rng, job.lag, BATCH))


def optimizer_of(network: nn.Module, way: str, rate: float) -> torch.optim.Optimizer:
    """The optimiser of a way of WAYS that uses the gradient alone."""
    weights = network.parameters()
    if way == ADAM:
        return torch.optim.Adam(weights, rate, betas=(0.9, 0.99))
    if way == MOMENTUM:
        return torch.optim.SGD(weights, rate, momentum=NESTEROV, nesterov=True)
    return torch.optim.SGD(weights, rate)


def descend(
    network: nn.Module, optimizer: torch.optim.Optimizer, draw_batch: Callable[[], Asked]
) -> Iterator[int]:
    """Steps along the gradient, clipped by its norm: one gradient evaluation each."""
    while True:
        x_TBV, ends = draw_batch()
        loss = functional.cross_entropy(network(x_TBV), ends)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), CLIP_NORM)
        optimizer.step()
        yield 1


def follow(network: nn.Module, updates: Iterator[int], budget: int, asked: Asked) -> Curve:
    """Accuracy along the way, until it has stayed GOOD or an update costs more than is left."""
    spent, curve = 0, [(0, accuracy(network, asked))]
    for cost in updates:
        spent += cost
        if spent > budget:
            break
        if spent - curve[-1][0] >= EVERY or spent == budget:
            curve.append((spent, accuracy(network, asked)))
        last = [right for _, right in curve[-KEPT:]]
        if spent == budget or (len(last) == KEPT and min(last) >= GOOD):
            break
    return tuple(curve)
