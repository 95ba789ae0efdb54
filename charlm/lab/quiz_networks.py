"""The small networks behind the quiz's curves, and what is read off them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from ..config import NetworkConfig
from ..models.recurrent import Stack
from ..network.network import Network
from . import counter, gradients, lags
from .learn import Task, logits_at, train_on_task

GRADIENT_UNITS, GRADIENT_ROWS, GRADIENT_STEPS = 32, 64, 40
COUNTED = 15  # n of the aⁿbⁿ that is read
COUNTER_TRAINED, COUNTER_STEPS, COUNTER_UNITS, COUNTER_BATCH = 10, 300, 8, 32
RHYME = (
    "the cat sat on the mat and the dog sat on the log. "
    "the cow ran to the barn and the hen ran to the corn. "
)
BEFORE = "the "
RHYME_STEPS, RHYME_UNITS, RHYME_BATCH, RHYME_LENGTH = 100, 32, 16, 24
LEARNING_RATE = 1e-2  # of the counters and of the rhyme


def gradient_back(
    cell: str, seed: int, *, gain: float = 1.0, forget_bias: float | None = None
) -> tuple[float, ...]:
    """`gradients.flow` of a fresh network on random symbols, relative to k = 0."""
    network = Network(NetworkConfig(lags.VOCAB_SIZE, cell=cell, embed=16, hidden=GRADIENT_UNITS))
    network.initialise(seed)
    (layer,) = network.layers()
    with torch.no_grad():
        layer.weight_hh.mul_(gain)
        if forget_bias is not None:
            forget = slice(GRADIENT_UNITS, 2 * GRADIENT_UNITS)  # i, f, g, o
            layer.bias_ih[forget], layer.bias_hh[forget] = forget_bias, 0.0
    rng = np.random.default_rng(seed)
    ids_TB = rng.integers(lags.EOS, size=(GRADIENT_STEPS + 1, GRADIENT_ROWS))
    norms = gradients.flow(network, ids_TB, eos=lags.EOS)
    return tuple((norms / norms[0]).tolist())


def trained_counter(cell: str, seed: int) -> Network:
    """A network trained on aⁿbⁿ."""
    network = Network(NetworkConfig(3, cell=cell, embed=3, hidden=COUNTER_UNITS))
    network.initialise(seed)
    rng = np.random.default_rng(seed)

    def draw() -> Task:
        return counter.task(rng.integers(1, COUNTER_TRAINED + 1, COUNTER_BATCH).tolist())

    train_on_task(network, draw, COUNTER_STEPS, LEARNING_RATE, target_loss=counter.LOSS_TARGET)
    return network


def read_counting(network: Network) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """What it carries along while it reads aⁿbⁿ, c or else h, and its forget gates; (T, H) each."""
    stack = Stack(network.config, network.tensors())
    state = stack.empty(1)
    carried, forgets = [], []
    for id in [counter.A] * COUNTED + [counter.B] * COUNTED:
        x = stack.inputs(np.array([id]))
        forgets += list(stack.cells[0].gates(x, state.layers[0]).get("f", ()))
        state = stack.step(state, x)
        carried.append(state.layers[0][-1][0])
    return np.array(carried), np.array(forgets)


def best_counter(values_TH: npt.NDArray[np.float32]) -> int:
    """The unit that goes most nearly with the number of a's still to be matched."""
    left = np.minimum(np.arange(1, 2 * COUNTED + 1), 2 * COUNTED - np.arange(1, 2 * COUNTED + 1))
    return int(np.argmax([abs(np.corrcoef(unit, left)[0, 1]) for unit in values_TH.T]))


def after_rhyme(seed: int) -> tuple[list[str], npt.NDArray[np.float64]]:
    """The letters of RHYME, and a small LSTM's logits for the one after BEFORE."""
    letters = sorted(set(RHYME))
    ids = np.array([letters.index(letter) for letter in RHYME * 2])
    network = Network(NetworkConfig(len(letters), cell="lstm", embed=8, hidden=RHYME_UNITS))
    network.initialise(seed)
    rng = np.random.default_rng(seed)

    def draw() -> Task:
        starts_B = rng.integers(len(RHYME), size=RHYME_BATCH)
        ids_TB = ids[starts_B + np.arange(RHYME_LENGTH + 1)[:, None]]
        return Task(ids_TB[:-1], ids_TB[1:], np.ones((RHYME_LENGTH, RHYME_BATCH), bool))

    train_on_task(network, draw, RHYME_STEPS, LEARNING_RATE)
    read_T1 = ids[: len(RHYME) + len(BEFORE), None]  # RHYME begins with BEFORE
    at_end = np.arange(len(read_T1))[:, None] == len(read_T1) - 1
    return letters, logits_at(network, Task(read_T1, read_T1, at_end))[0].astype(np.float64)


def softmax(logits_V: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    powers: npt.NDArray[np.float64] = np.exp(logits_V - logits_V.max())
    powers /= powers.sum()
    return powers
