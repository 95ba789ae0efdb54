"""How far a network counts: the language aⁿbⁿ (Gers and Schmidhuber 2001; Weiss et al. 2018).

After the first b, the rest is certain: n − 1 more of them, then the end. To predict the end, a
network must have counted the a's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..config import NetworkConfig
from ..network.network import Network
from .learn import Task, logits_at, train_on_task

MAX_TRAINED = 20  # n in training
MAX_TESTED = 100  # the largest n tested
BATCH, MAX_STEPS, LEARNING_RATE, HIDDEN_UNITS = 32, 1200, 1e-2, 16
LOSS_TARGET = 5e-4  # nats
A, B = 1, 2  # 0 is the end


@dataclass(frozen=True)
class Job:
    """One network to train."""

    cell: str
    seed: int


def count(job: Job) -> tuple[bool, ...]:
    """Train on n up to MAX_TRAINED; for n = 1 … MAX_TESTED, whether all predictions are right."""
    network = Network(NetworkConfig(3, cell=job.cell, embed=3, hidden=HIDDEN_UNITS))
    network.initialise(job.seed)
    rng = np.random.default_rng(job.seed)
    train_on_task(
        network,
        lambda: task(rng.integers(1, MAX_TRAINED + 1, BATCH).tolist()),
        MAX_STEPS,
        LEARNING_RATE,
        target_loss=LOSS_TARGET,
    )
    return tuple(_right(network, n) for n in range(1, MAX_TESTED + 1))


def task(numbers: Sequence[int]) -> Task:
    """Sequences aⁿbⁿ; scored is what follows each b: another b, or the end."""
    T = 2 * max(numbers)
    x_TB, y_TB = np.zeros((T, len(numbers)), np.int64), np.zeros((T, len(numbers)), np.int64)
    counts_TB = np.zeros(x_TB.shape, bool)
    for row, n in enumerate(numbers):
        x_TB[:n, row], x_TB[n : 2 * n, row] = A, B
        y_TB[: 2 * n - 1, row] = x_TB[1 : 2 * n, row]
        counts_TB[n : 2 * n, row] = True
    return Task(x_TB, y_TB, counts_TB)


def _right(network: Network, n: int) -> bool:
    asked = task([n])
    found = logits_at(network, asked).argmax(1)
    return bool((found == asked.y_TB[asked.counts_TB]).all())
