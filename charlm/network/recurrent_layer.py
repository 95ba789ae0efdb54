"""One recurrent layer in torch: its parameters, and how each kind of cell runs over T steps.

The equations are those of models/cells.py, its twin in NumPy; a test holds the two to 1e-5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

from ..config import NetworkConfig
from .layers import gru, rnn
from .peephole_layer import peephole_lstm

LayerState: TypeAlias = tuple[Tensor, ...]  # (h,) or (h, c), each (B, H)


class Weights(NamedTuple):
    """A layer's parameters, with any dropout on weights applied."""

    weight_ih: Tensor  # (G·H, E)
    weight_hh: Tensor  # (G·H, H)
    bias_ih: Tensor  # (G·H,)
    bias_hh: Tensor  # (G·H,)
    extra: Mapping[str, Tensor]  # as of CellShape.extra, (rows, H) each
    training: bool  # whether the layer is being trained

    def arguments(self, dtype: torch.dtype) -> tuple[Any, ...]:
        """What torch's own layers take: parameters in `dtype`, and flags."""
        parameters = [p.to(dtype) for p in self[:4]]
        return parameters, True, 1, 0.0, self.training, False, False  # biases, layers, dropout, …


# x (T, B, E), state and weights ↦ hidden states (T, B, H) in x's precision, and the state after T
Forward: TypeAlias = Callable[[Tensor, LayerState, Weights], tuple[Tensor, LayerState]]


def run_lstm(x_TBE: Tensor, state: LayerState, weights: Weights) -> tuple[Tensor, LayerState]:
    """torch's LSTM (on a CPU: oneDNN's)."""
    dtype, kept_in = x_TBE.dtype, state[0].dtype
    hidden = [part.to(dtype)[None] for part in state]
    out, h, c = torch.lstm(x_TBE, hidden, *weights.arguments(dtype))
    return out, (h[0].to(kept_in), c[0].to(kept_in))


def run_peephole_lstm(
    x_TBE: Tensor, state: LayerState, weights: Weights
) -> tuple[Tensor, LayerState]:
    """Our own layer, on every device."""
    dtype, (h0, c0), w = x_TBE.dtype, state, weights
    weight_ih, weight_hh = w.weight_ih.to(dtype), w.weight_hh.to(dtype)
    out, h, c = peephole_lstm(
        x_TBE, h0, c0, weight_ih, weight_hh, w.bias_ih, w.bias_hh, w.extra["peephole"]
    )
    return out, (h, c)


def run_plain(
    x_TBE: Tensor, state: LayerState, weights: Weights, *, ours: Any, theirs: Any
) -> tuple[Tensor, LayerState]:
    """A cell that keeps h alone: `ours` on CPUs, `theirs`, torch's, elsewhere and in float64."""
    dtype, (h0,) = x_TBE.dtype, state
    if dtype != torch.float64 and x_TBE.device.type == "cpu":
        weight_ih, weight_hh = weights.weight_ih.to(dtype), weights.weight_hh.to(dtype)
        out, h = ours(x_TBE, h0, weight_ih, weight_hh, weights.bias_ih, weights.bias_hh)
        return out, (h,)
    out, h = theirs(x_TBE, h0.to(dtype)[None], *weights.arguments(dtype))
    return out, (h[0].to(h0.dtype),)


FORWARD: dict[str, Forward] = {
    "rnn": partial(run_plain, ours=partial(rnn, relu=False), theirs=torch.rnn_tanh),
    "rnn-relu": partial(run_plain, ours=partial(rnn, relu=True), theirs=torch.rnn_relu),
    "lstm": run_lstm,
    "lstm-peephole": run_peephole_lstm,
    "gru": partial(run_plain, ours=gru, theirs=torch.gru),
}


class Layer(nn.Module):
    """One recurrent layer over T steps, carrying its state."""

    def __init__(self, config: NetworkConfig, inputs: int) -> None:
        super().__init__()
        H, rows = config.hidden, config.gates * config.hidden
        self.cell, self.shape, self.weight_drop = config.cell, config.cell_shape, config.weight_drop
        self.weight_ih = nn.Parameter(torch.empty(rows, inputs))
        self.weight_hh = nn.Parameter(torch.empty(rows, H))
        self.bias_ih = nn.Parameter(torch.zeros(rows))
        self.bias_hh = nn.Parameter(torch.zeros(rows))
        for name, extra_rows in self.shape.extra.items():
            self.register_parameter(name, nn.Parameter(torch.zeros(extra_rows, H)))
        for name in self.shape.memory:
            start = torch.zeros(H)
            if config.learned_start:
                self.register_parameter(name, nn.Parameter(start))
            else:
                self.register_buffer(name, start, persistent=False)

    def initialise(self) -> None:
        """Orthogonal recurrence a gate (Saxe et al. 2014), Glorot inputs, forget bias 1."""
        H = self.weight_hh.shape[1]
        for gate in range(self.shape.gates):
            rows = slice(gate * H, (gate + 1) * H)
            nn.init.orthogonal_(self.weight_hh[rows])
            nn.init.xavier_uniform_(self.weight_ih[rows])
        forget = self.shape.forget_gate
        if forget is not None:  # Gers et al. 2000; Jozefowicz et al. 2015
            nn.init.ones_(self.bias_ih[forget * H : (forget + 1) * H])

    def start(self, batch: int) -> LayerState:
        """The state before the first token, (B, H) each."""
        starts = (getattr(self, name) for name in self.shape.memory)
        return tuple(start.expand(batch, -1).contiguous() for start in starts)

    def forward(self, x_TBE: Tensor, state: LayerState) -> tuple[Tensor, LayerState]:
        """Hidden states (T, B, H) and the state after step T, kept in the precision it came in.

        Products run in x's precision.
        """
        weight_hh: Tensor = self.weight_hh
        if self.weight_drop and self.training:  # Merity, Keskar and Socher 2018
            weight_hh = weight_hh * kept(weight_hh, self.weight_drop)
        extra = {name: getattr(self, name) for name in self.shape.extra}
        weights = Weights(
            self.weight_ih, weight_hh, self.bias_ih, self.bias_hh, extra, self.training
        )
        return FORWARD[self.cell](x_TBE, state, weights)


def kept(like: Tensor, rate: float) -> Tensor:
    """A mask shaped like `like`: 0 with probability `rate` (to a 256th), otherwise scaled up.

    A byte of random integers decides on each entry: `bernoulli_` takes fifteen times as long, for a
    million weights a quarter of a training step.
    """
    count, dropped = like.numel(), round(256 * rate)
    drawn = torch.empty(-(-count // 8), dtype=torch.int64, device=like.device).random_(
        -(1 << 63), None
    )
    mask = (drawn.view(torch.uint8)[:count] >= dropped).to(like.dtype)
    return mask.mul_(256 / (256 - dropped)).view(like.shape)
