"""How far back a network remembers: languages with one lag each.

A sentence of lag k is a symbol, a or b, then k − 1 random fillers, then an end determined by the
first symbol, k symbols back:

    s_0 f_1 … f_{k−1} e,   s_0 ∈ {a, b},   f_t one of FILLERS at random,   e = E(s_0)

The network is trained on the end alone. Each k is a separate language, with no shorter lags to
learn from first: the question is whether a gradient finds its way back over k steps (Bengio et al.
1994; Hochreiter and Schmidhuber 1997). (Trained on all lags together, short ones included, a plain
RNN learns them too: it can store a bit, but does not discover how.) Gated networks start with
biases that suit the lag ("chrono", Tallec and Ollivier 2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..config import NetworkConfig
from ..models.kneser_ney import estimate
from ..network.network import Network
from .chrono import set_gate_biases
from .learn import Task, logits_at, train_on_task

Ids64: TypeAlias = npt.NDArray[np.int64]

FILLERS = 4
FIRST, END, EOS = FILLERS, FILLERS + 2, FILLERS + 4  # ids: a or b; their ends; a line's end
VOCAB_SIZE = FILLERS + 5
BATCH = 128
LEARNING_RATE = 5e-3  # of Adam
LOSS_TARGET = 0.02  # nats at the end symbol: nothing is left to learn
TEST_SENTENCES = 1000  # sentences
NGRAM_TOKENS = 1 << 16  # of training text for an n-gram model, roughly


@dataclass(frozen=True)
class Job:
    """One network to train."""

    cell: str
    lag: int
    seed: int
    hidden: int
    max_steps: int


def sentences(rng: np.random.Generator, lag: int, count: int) -> tuple[Ids64, Ids64]:
    """`count` sentences without their ends, (lag, count), and the ends, (count,)."""
    ids_TB = rng.integers(FILLERS, size=(lag, count))
    which = rng.integers(2, size=count)
    ids_TB[0] = FIRST + which
    return ids_TB, END + which


def task(rng: np.random.Generator, lag: int, count: int) -> Task:
    """Sentences of which only the ends are trained on."""
    x_TB, ends = sentences(rng, lag, count)
    counts_TB = np.zeros(x_TB.shape, bool)
    counts_TB[-1] = True
    return Task(x_TB, np.broadcast_to(ends, x_TB.shape).copy(), counts_TB)


def chrono(network: Network, lag: int, seed: int) -> None:
    """Give all layers gate biases for memories of up to `lag` steps, see `set_gate_biases`."""
    rng = np.random.default_rng((seed, lag))
    for layer in network.layers():
        set_gate_biases(layer.bias_ih, layer.bias_hh, layer.cell, lag, rng)


def recall(job: Job) -> tuple[float, int]:
    """Accuracy after training on one lag, and the number of steps taken."""
    network = Network(NetworkConfig(VOCAB_SIZE, cell=job.cell, embed=16, hidden=job.hidden))
    network.initialise(job.seed)
    chrono(network, job.lag, job.seed)
    rng = np.random.default_rng((job.seed, job.lag))
    steps = train_on_task(
        network,
        lambda: task(rng, job.lag, BATCH),
        job.max_steps,
        LEARNING_RATE,
        target_loss=LOSS_TARGET,
    )
    asked = task(rng, job.lag, TEST_SENTENCES)
    found = logits_at(network, asked)[:, END : END + 2].argmax(1)
    return float((found == asked.y_TB[-1] - END).mean()), steps


def recall_of_ngram(order: int, lag: int, seed: int) -> float:
    """Accuracy of an n-gram model on one lag."""
    rng = np.random.default_rng((seed, lag))
    x_TB, ends = sentences(rng, lag, NGRAM_TOKENS // (lag + 2))
    lines = np.concatenate([x_TB, ends[None], np.full((1, len(ends)), EOS)])
    lm = estimate(lines.T.ravel(), VOCAB_SIZE, EOS, order, lines=True)
    x_TB, ends = sentences(rng, lag, TEST_SENTENCES)
    _, state = lm.read(lm.start(TEST_SENTENCES), x_TB.T)
    nats = lm.predict(state)[:, END : END + 2]
    right, wrong = (
        nats[np.arange(TEST_SENTENCES), ends - END],
        nats[np.arange(TEST_SENTENCES), 1 - (ends - END)],
    )
    return float(((right > wrong) + 0.5 * (right == wrong)).mean())  # a tie is half right
