"""An echo state network (Jaeger 2001): the recurrent weights are random and stay as they are.

    s_t = tanh(U x_t + W s_{t−1}),   answer: the sign of v · s_k + c

U ~ N(0, INPUT_STD²), and W is random, scaled to a spectral radius, the largest |eigenvalue|. Only v
and c are trained, in closed form, by ridge regression on the ends, taken as −1 and +1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .lags import END, VOCAB_SIZE, sentences

UNITS = 200
INPUT_STD = 0.1
RIDGE = 1e-6  # times the number of sentences: the penalty on |v|²
TRAIN_SENTENCES, TEST_SENTENCES = 2000, 1000
RADII = (0.2, 0.4, 0.6, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4, 1.6, 2.0, 2.5, 3.0)


@dataclass(frozen=True)
class Job:
    """One reservoir, asked over one lag."""

    lag: int
    seed: int
    units: int = UNITS


def reservoir(rng: np.random.Generator, units: int) -> Tensor:
    """W (units, units): random, of spectral radius 1."""
    weight_HH = torch.from_numpy(rng.normal(size=(units, units)))
    return weight_HH / spectral_radius(weight_HH)


def spectral_radius(weight_HH: Tensor) -> float:
    """The largest |eigenvalue|."""
    return float(torch.linalg.eigvals(weight_HH).abs().max())


def states(weight_HH: Tensor, input_VH: Tensor, ids_TB: Tensor) -> Tensor:
    """The states after the last symbol, from a state of 0, with a 1 for the bias: (B, H + 1)."""
    s_BH = torch.zeros(ids_TB.shape[1], len(weight_HH), dtype=weight_HH.dtype)
    for ids_B in ids_TB:
        s_BH = torch.tanh(input_VH[ids_B] + s_BH @ weight_HH.T)
    return torch.cat([s_BH, s_BH.new_ones(len(s_BH), 1)], 1)


def readout(s_BH: Tensor, y_B: Tensor, ridge: float = RIDGE) -> Tensor:
    """The weights (H,) that minimise mean (s · v − y)² + ridge |v|²."""
    penalty_HH = ridge * len(s_BH) * torch.eye(s_BH.shape[1], dtype=s_BH.dtype)
    found: Tensor = torch.linalg.solve(s_BH.T @ s_BH + penalty_HH, s_BH.T @ y_B)
    return found


def recall_by_radius(job: Job) -> tuple[float, ...]:
    """Accuracy on new sentences for each of RADII: one reservoir, scaled."""
    rng = np.random.default_rng((job.seed, job.lag))
    weight_HH = reservoir(rng, job.units)
    input_VH = torch.from_numpy(rng.normal(scale=INPUT_STD, size=(VOCAB_SIZE, job.units)))
    x_TB, ends = _asked(rng, job.lag, TRAIN_SENTENCES)
    new_TB, new_ends = _asked(rng, job.lag, TEST_SENTENCES)
    found = []
    for radius in RADII:
        v_H = readout(states(radius * weight_HH, input_VH, x_TB), ends)
        answers = states(radius * weight_HH, input_VH, new_TB) @ v_H
        found.append(float(((answers > 0) == (new_ends > 0)).double().mean()))
    return tuple(found)


def _asked(rng: np.random.Generator, lag: int, count: int) -> tuple[Tensor, Tensor]:
    """Sentences (lag, count), and their ends as −1 and +1."""
    ids_TB, ends = sentences(rng, lag, count)
    return torch.from_numpy(ids_TB), torch.from_numpy(2.0 * (ends - END) - 1)
