"""The recurrent cells in NumPy, each written from its equations.

What a finished model runs on: no torch, and arithmetic that a learner can read beside a textbook.

Shape letters: N inputs, B batch rows, E inputs' width, H hidden units, G gates. Weights as in the
textbook (docs/textbook.md): U of the input, W of the state before, V (in `Head`) of the output.

One identity is used throughout: σ(x) = 1 / (1 + exp(−x)) = (1 + tanh(x/2)) / 2. The rows of the
weights that feed a σ are halved once, on loading (exact in binary arithmetic), so that a single
tanh serves all gates of a cell and nothing can overflow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from .arithmetic import NUMPY, Arithmetic, Array

Cell: TypeAlias = tuple[Array, ...]  # what one layer remembers: (h_BH,) or (h_BH, c_BH)


def arrange(weight: Array, blocks: Sequence[int], halved: int) -> Array:
    """Reorder the G blocks of H rows of a weight or bias; halve the first `halved` of them."""
    parts = np.split(weight, len(blocks))
    return np.concatenate(
        [parts[b] * np.float32(0.5 if i < halved else 1) for i, b in enumerate(blocks)]
    )


class RNN:
    """The simple recurrent network (Elman 1990).

    h_t = tanh(U x_t + b + W h_{t−1})
    """

    blocks: tuple[int, ...] = (0,)  # order of the gates here, as places in torch's order
    halved = 0  # how many of them, from the first, are sigmoids

    def __init__(self, weights: Mapping[str, Array], arithmetic: Arithmetic = NUMPY) -> None:
        self.arithmetic, self.hidden = arithmetic, weights["weight_hh"].shape[1]
        self.U = arithmetic.matrix(arrange(weights["weight_ih"], self.blocks, self.halved))
        self.W = arithmetic.matrix(arrange(weights["weight_hh"], self.blocks, self.halved))
        self.b = arrange(weights["bias_ih"], self.blocks, self.halved)
        b_hh = arrange(weights["bias_hh"], self.blocks, self.halved)
        self.prepare(weights, b_hh)

    def prepare(self, weights: Mapping[str, Array], b_hh: Array) -> None:
        """Take up the second bias and whatever else the cell has."""
        self.b += b_hh  # both biases are always added together

    def inputs(self, x_NE: Array) -> Array:
        """U x + b, the part of a step that needs no memory: (N, G·H)."""
        product = self.arithmetic.times(self.U, x_NE)
        product += self.b
        return product

    def step(self, x_BG: Array, cell: Cell) -> Cell:
        """One time step, from `inputs(x_t)` and the cell before to the cell after."""
        a = self.arithmetic.times(self.W, cell[0])
        a += x_BG
        return (self.arithmetic.tanh(a, out=a),)

    def gates(self, x_BG: Array, cell: Cell) -> dict[str, Array]:
        """The gates of the step that `step` takes, (B, H) each, named as in the equations."""
        return {}

    def candidate(self, x_BG: Array, cell: Cell) -> dict[str, Array]:
        """The new that the gates let in, (B, H): g or n, where there is one."""
        return {}


class ReluRNN(RNN):
    """The simple recurrent network with rectified units (Le, Jaitly and Hinton 2015).

    h_t = max(0, U x_t + b + W h_{t−1})
    """

    def step(self, x_BG: Array, cell: Cell) -> Cell:
        a = self.arithmetic.times(self.W, cell[0])
        a += x_BG
        return (np.maximum(a, 0, out=a),)


class LSTM(RNN):
    """Long short-term memory (Hochreiter and Schmidhuber 1997; forget gate: Gers et al. 2000).

    i_t = σ(U_i x_t + b_i + W_i h_{t−1})        how much of the new is written
    f_t = σ(U_f x_t + b_f + W_f h_{t−1})        how much of the old is kept
    o_t = σ(U_o x_t + b_o + W_o h_{t−1})        how much of the memory is shown
    g_t = tanh(U_g x_t + b_g + W_g h_{t−1})     the new
    c_t = f_t ⊙ c_{t−1} + i_t ⊙ g_t
    h_t = o_t ⊙ tanh(c_t)
    """

    blocks = (3, 0, 1, 2)  # o, i, f, g from torch's i, f, g, o
    halved = 3

    def step(self, x_BG: Array, cell: Cell) -> Cell:
        o, i, f, g = self.opened(x_BG, cell)
        c = f * cell[1]
        i *= g
        c += i
        self.show(o, c)
        h = self.arithmetic.tanh(c)
        h *= o
        return h, c

    def gates(self, x_BG: Array, cell: Cell) -> dict[str, Array]:
        o, i, f, g = self.opened(x_BG, cell)
        self.show(o, f * cell[1] + i * g)
        return {"i": i, "f": f, "o": o}

    def candidate(self, x_BG: Array, cell: Cell) -> dict[str, Array]:
        return {"g": self.opened(x_BG, cell)[3]}

    def opened(self, x_BG: Array, cell: Cell) -> tuple[Array, Array, Array, Array]:
        """o, i, f and g, (B, H) each; `show` has the last word on o."""
        H = self.hidden
        a = self.arithmetic.times(self.W, cell[0])
        a += x_BG
        self.arithmetic.tanh(a, out=a)
        sigmoid = a[:, : 3 * H]
        sigmoid += 1
        sigmoid *= 0.5
        return a[:, :H], a[:, H : 2 * H], a[:, 2 * H : 3 * H], a[:, 3 * H :]

    def show(self, o_BH: Array, c_BH: Array) -> None:
        """Finish o in place, now that c_t is there: nothing is left to do."""


class PeepholeLSTM(LSTM):
    """LSTM whose gates see the memory (Gers and Schmidhuber 2000); p: one weight per unit.

    The output gate sees c_t, the other two c_{t−1}. (Ng's course notes show c_{t−1} in all three.)

    i_t = σ(U_i x_t + b_i + W_i h_{t−1} + p_i ⊙ c_{t−1})
    f_t = σ(U_f x_t + b_f + W_f h_{t−1} + p_f ⊙ c_{t−1})
    g_t = tanh(U_g x_t + b_g + W_g h_{t−1})
    c_t = f_t ⊙ c_{t−1} + i_t ⊙ g_t
    o_t = σ(U_o x_t + b_o + W_o h_{t−1} + p_o ⊙ c_t)
    h_t = o_t ⊙ tanh(c_t)
    """

    def prepare(self, weights: Mapping[str, Array], b_hh: Array) -> None:
        super().prepare(weights, b_hh)
        self.p_i, self.p_f, self.p_o = weights["peephole"] * np.float32(0.5)  # inside a σ

    def opened(self, x_BG: Array, cell: Cell) -> tuple[Array, Array, Array, Array]:
        h, c = cell
        H = self.hidden
        a = self.arithmetic.times(self.W, h)
        a += x_BG
        o, i, f, g = a[:, :H], a[:, H : 2 * H], a[:, 2 * H : 3 * H], a[:, 3 * H :]
        i += self.p_i * c
        f += self.p_f * c
        self.arithmetic.tanh(a[:, H:], out=a[:, H:])
        sigmoid = a[:, H : 3 * H]
        sigmoid += 1
        sigmoid *= 0.5
        return o, i, f, g

    def show(self, o_BH: Array, c_BH: Array) -> None:
        """Finish o in place: it sees c_t."""
        o_BH += self.p_o * c_BH
        self.arithmetic.tanh(o_BH, out=o_BH)
        o_BH += 1
        o_BH *= 0.5


class GRU(RNN):
    """Gated recurrent unit (Cho et al. 2014), reset after the product, as in cuDNN and torch.

    (Cho's paper resets before it: W_n (r_t ⊙ h_{t−1}). After it, all three products of W are one.)

    r_t = σ(U_r x_t + b_r + W_r h_{t−1})                        how much of the old the new sees
    z_t = σ(U_z x_t + b_z + W_z h_{t−1})                        how much of the old is kept
    n_t = tanh(U_n x_t + b_n + r_t ⊙ (W_n h_{t−1} + b_hn))      the new
    h_t = (1 − z_t) ⊙ n_t + z_t ⊙ h_{t−1}
    """

    blocks = (0, 1, 2)  # r, z, n
    halved = 2

    def prepare(self, weights: Mapping[str, Array], b_hh: Array) -> None:
        H = self.hidden
        self.b[: 2 * H] += b_hh[: 2 * H]
        self.b_hn = b_hh[2 * H :]

    def step(self, x_BG: Array, cell: Cell) -> Cell:
        (h,) = cell
        H = self.hidden
        a = self.opened(x_BG, cell)
        z, n = a[:, H : 2 * H], self.new(a, x_BG)
        h = h - n
        h *= z
        h += n
        return (h,)

    def gates(self, x_BG: Array, cell: Cell) -> dict[str, Array]:
        H = self.hidden
        a = self.opened(x_BG, cell)
        return {"r": a[:, :H], "z": a[:, H : 2 * H]}

    def candidate(self, x_BG: Array, cell: Cell) -> dict[str, Array]:
        return {"n": self.new(self.opened(x_BG, cell), x_BG)}

    def new(self, a_BG: Array, x_BG: Array) -> Array:
        """n, (B, H), from what `opened` gave, in place."""
        H = self.hidden
        n = a_BG[:, 2 * H :]
        n += self.b_hn
        n *= a_BG[:, :H]  # r
        n += x_BG[:, 2 * H :]
        return self.arithmetic.tanh(n, out=n)

    def opened(self, x_BG: Array, cell: Cell) -> Array:
        """r, z and W_n h_{t−1} side by side, (B, 3·H)."""
        H = self.hidden
        a = self.arithmetic.times(self.W, cell[0])
        sigmoid = a[:, : 2 * H]
        sigmoid += x_BG[:, : 2 * H]
        self.arithmetic.tanh(sigmoid, out=sigmoid)
        sigmoid += 1
        sigmoid *= 0.5
        return a


CELL_CLASSES: dict[str, type[RNN]] = {
    "rnn": RNN,
    "rnn-relu": ReluRNN,
    "lstm": LSTM,
    "lstm-peephole": PeepholeLSTM,
    "gru": GRU,
}
