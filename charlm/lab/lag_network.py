"""A small network for a language with one lag (`lags`), and the ways it may begin.

    s_t = f(U x_t + W s_{t−1} + b),   answer = softmax(V s_k + c) over the two ends

x_t is one-hot. Starts of a plain network differ in W alone (f is tanh, and relu for "identity");
b = 0, and U ~ N(0, INPUT_STD²) whatever the network:

- small: W ~ N(0, 0.01²)
- uniform: W ~ U(−1/√H, 1/√H), which is torch's default
- identity: W = I, with relu (Le, Jaitly and Hinton 2015)
- orthogonal: W a random orthogonal matrix (Saxe et al. 2014; Henaff et al. 2016)

Beside them stands the LSTM, with torch's gate biases, which are nearly 0, and with gate biases that
suit the lag ("chrono", Tallec and Ollivier 2018).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from .chrono import set_gate_biases
from .lags import END, VOCAB_SIZE, sentences

Asked: TypeAlias = tuple[Tensor, Tensor]  # sentences (lag, B, VOCAB_SIZE), their ends (B,): 0 or 1

HIDDEN_UNITS = 64
INPUT_STD = 0.3
SMALL_STD = 0.01
PLAIN_STARTS = ("small", "uniform", "identity", "orthogonal")
LSTM, CHRONO = "LSTM", "LSTM chrono"
STARTS = (*PLAIN_STARTS, LSTM, CHRONO)


class LagNetwork(nn.Module):
    """One recurrent layer with a start of STARTS, and an output for the two ends."""

    def __init__(self, start: str, lag: int, seed: int, hidden: int = HIDDEN_UNITS) -> None:
        super().__init__()
        torch.manual_seed(seed)
        if start in PLAIN_STARTS:
            function = "relu" if start == "identity" else "tanh"
            self.recurrent: nn.RNNBase = nn.RNN(VOCAB_SIZE, hidden, nonlinearity=function)
        else:
            self.recurrent = nn.LSTM(VOCAB_SIZE, hidden)
        self.output = nn.Linear(hidden, 2)
        nn.init.normal_(self._weights("weight_ih_l0"), std=INPUT_STD)
        if start in PLAIN_STARTS:
            nn.init.zeros_(self._weights("bias_ih_l0"))
            nn.init.zeros_(self._weights("bias_hh_l0"))
            begin(self._weights("weight_hh_l0"), start)
        if start == CHRONO:
            rng = np.random.default_rng((seed, lag))
            biases = self._weights("bias_ih_l0"), self._weights("bias_hh_l0")
            set_gate_biases(*biases, "lstm", lag, rng)

    def _weights(self, name: str) -> Tensor:
        found: Tensor = getattr(self.recurrent, name)
        return found

    def forward(self, x_TBV: Tensor) -> Tensor:
        """The logits of the two ends after the last symbol, (B, 2)."""
        s_TBH, _ = self.recurrent(x_TBV)
        logits: Tensor = self.output(s_TBH[-1])
        return logits


def begin(weight_HH: Tensor, start: str) -> None:
    """Give a plain network's W one of PLAIN_STARTS; "uniform" is what torch has given it."""
    if start == "small":
        nn.init.normal_(weight_HH, std=SMALL_STD)
    elif start == "identity":
        nn.init.eye_(weight_HH)
    elif start == "orthogonal":
        nn.init.orthogonal_(weight_HH)


def draw(rng: np.random.Generator, lag: int, count: int) -> Asked:
    """`count` random sentences and their ends."""
    ids_TB, ends = sentences(rng, lag, count)
    x_TBV = functional.one_hot(torch.from_numpy(ids_TB), VOCAB_SIZE).float()
    return x_TBV, torch.from_numpy(ends - END)


@torch.no_grad()
def accuracy(network: nn.Module, asked: Asked) -> float:
    """The share of sentences whose end is right; chance is 0.5."""
    x_TBV, ends = asked
    return float((network(x_TBV).argmax(1) == ends).float().mean())
