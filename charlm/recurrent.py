"""Recurrent networks in NumPy, each cell written from its equations.

This room is what a finished model runs on: no torch, a cold start of a tenth of a second, and
arithmetic that a learner can read beside a textbook. `network.py` holds the same cells in torch
for training; the two agree to 1e-5.

Shape letters: T time steps, B batch rows, V vocabulary, E embedding, H hidden units, G gates.

One identity is used throughout: σ(x) = 1 / (1 + exp(−x)) = (1 + tanh(x/2)) / 2. The rows of the
weights that feed a σ are halved once, on loading (exact in binary arithmetic), so that a single
tanh serves all gates of a cell and nothing can overflow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from .config import NetworkConfig
from .errors import CharlmError
from .lm import Ids, Nats

Array: TypeAlias = npt.NDArray[np.float32]
Cell: TypeAlias = tuple[Array, ...]  # what one layer remembers: (h_BH,) or (h_BH, c_BH)

TABLE_BYTES = 16 << 20  # largest table of first-layer products kept, see RecurrentLM.inputs
CHUNK = 8 << 20  # float32 entries (32 MiB) that an intermediate result may have
ROWS = 128  # most sequences that `logprobs` runs side by side
FEW = 6  # for up to so many rows, row-by-row products with a matrix are faster than one


@dataclass(frozen=True)
class RecurrentState:
    """The memory of B texts: for each layer h (B, H), and c (B, H) where the cell has one."""

    layers: tuple[Cell, ...]

    def take(self, rows: Ids) -> Self:
        """The states of the texts `rows`, in that order; a row may be taken more than once."""
        return type(self)(tuple(tuple(part[rows] for part in cell) for cell in self.layers))


def times(weight_NH: Array, h_BH: Array) -> Array:
    """Every row of `h` multiplied by `weight`: (B, N)."""
    rows = len(h_BH)
    if rows > FEW:
        return h_BH @ weight_NH.T
    product = np.empty((rows, len(weight_NH)), np.float32)
    for row in range(rows):  # memory-bound: BLAS is quickest at one vector after another
        np.dot(weight_NH, h_BH[row], out=product[row])
    return product


def arrange(weight: Array, blocks: Sequence[int], halved: int) -> Array:
    """Reorder the G blocks of H rows of a weight or bias; halve the first `halved` of them."""
    parts = np.split(weight, len(blocks))
    return np.concatenate(
        [parts[b] * np.float32(0.5 if i < halved else 1) for i, b in enumerate(blocks)]
    )


class RNN:
    """The simple recurrent network (Elman 1990).

    h_t = tanh(W x_t + b + U h_{t−1})
    """

    blocks: tuple[int, ...] = (0,)  # order of the gates here, as places in torch's order
    halved = 0  # how many of them, from the first, are sigmoids

    def __init__(self, weights: Mapping[str, Array]) -> None:
        self.W = arrange(weights["weight_ih"], self.blocks, self.halved)
        self.U = arrange(weights["weight_hh"], self.blocks, self.halved)
        self.b = arrange(weights["bias_ih"], self.blocks, self.halved)
        b_hh = arrange(weights["bias_hh"], self.blocks, self.halved)
        self.hidden = self.U.shape[1]
        self.prepare(weights, b_hh)

    def prepare(self, weights: Mapping[str, Array], b_hh: Array) -> None:
        """Take up the second bias and whatever else the cell has."""
        self.b += b_hh  # both biases are always added together

    def inputs(self, x_NE: Array) -> Array:
        """W x + b, the part of a step that needs no memory: (N, G·H)."""
        product = times(self.W, x_NE)
        product += self.b
        return product

    def step(self, x_BG: Array, cell: Cell) -> Cell:
        """One time step, from `inputs(x_t)` and the cell before to the cell after."""
        a = times(self.U, cell[0])
        a += x_BG
        return (np.tanh(a, out=a),)


class ReluRNN(RNN):
    """The simple recurrent network with rectified units (Le, Jaitly and Hinton 2015).

    h_t = max(0, W x_t + b + U h_{t−1})
    """

    def step(self, x_BG: Array, cell: Cell) -> Cell:
        a = times(self.U, cell[0])
        a += x_BG
        return (np.maximum(a, 0, out=a),)


class LSTM(RNN):
    """Long short-term memory (Hochreiter and Schmidhuber 1997; forget gate: Gers et al. 2000).

    i_t = σ(W_i x_t + b_i + U_i h_{t−1})        how much of the new is written
    f_t = σ(W_f x_t + b_f + U_f h_{t−1})        how much of the old is kept
    o_t = σ(W_o x_t + b_o + U_o h_{t−1})        how much of the memory is shown
    g_t = tanh(W_g x_t + b_g + U_g h_{t−1})     the new
    c_t = f_t ⊙ c_{t−1} + i_t ⊙ g_t
    h_t = o_t ⊙ tanh(c_t)
    """

    blocks = (3, 0, 1, 2)  # o, i, f, g from torch's i, f, g, o
    halved = 3

    def step(self, x_BG: Array, cell: Cell) -> Cell:
        h, c = cell
        H = self.hidden
        a = times(self.U, h)
        a += x_BG
        np.tanh(a, out=a)
        sigmoid = a[:, : 3 * H]
        sigmoid += 1
        sigmoid *= 0.5
        o, i, f, g = a[:, :H], a[:, H : 2 * H], a[:, 2 * H : 3 * H], a[:, 3 * H :]
        c = f * c
        i *= g
        c += i
        h = np.tanh(c)
        h *= o
        return h, c


class PeepholeLSTM(LSTM):
    """LSTM whose gates see the memory (Gers and Schmidhuber 2000); p: one weight per unit.

    i_t = σ(W_i x_t + b_i + U_i h_{t−1} + p_i ⊙ c_{t−1})
    f_t = σ(W_f x_t + b_f + U_f h_{t−1} + p_f ⊙ c_{t−1})
    g_t = tanh(W_g x_t + b_g + U_g h_{t−1})
    c_t = f_t ⊙ c_{t−1} + i_t ⊙ g_t
    o_t = σ(W_o x_t + b_o + U_o h_{t−1} + p_o ⊙ c_t)
    h_t = o_t ⊙ tanh(c_t)
    """

    def prepare(self, weights: Mapping[str, Array], b_hh: Array) -> None:
        super().prepare(weights, b_hh)
        self.p_i, self.p_f, self.p_o = weights["peephole"] * np.float32(0.5)  # inside a σ

    def step(self, x_BG: Array, cell: Cell) -> Cell:
        h, c = cell
        H = self.hidden
        a = times(self.U, h)
        a += x_BG
        o, i, f, g = a[:, :H], a[:, H : 2 * H], a[:, 2 * H : 3 * H], a[:, 3 * H :]
        i += self.p_i * c
        f += self.p_f * c
        np.tanh(a[:, H:], out=a[:, H:])
        sigmoid = a[:, H : 3 * H]
        sigmoid += 1
        sigmoid *= 0.5
        c = f * c
        i *= g
        c += i
        o += self.p_o * c
        np.tanh(o, out=o)
        o += 1
        o *= 0.5
        h = np.tanh(c)
        h *= o
        return h, c


class GRU(RNN):
    """Gated recurrent unit (Cho et al. 2014), with the reset gate inside, as in cuDNN and torch.

    r_t = σ(W_r x_t + b_r + U_r h_{t−1})                        how much of the old the new sees
    z_t = σ(W_z x_t + b_z + U_z h_{t−1})                        how much of the old is kept
    n_t = tanh(W_n x_t + b_n + r_t ⊙ (U_n h_{t−1} + b_hn))      the new
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
        a = times(self.U, h)
        sigmoid = a[:, : 2 * H]
        sigmoid += x_BG[:, : 2 * H]
        np.tanh(sigmoid, out=sigmoid)
        sigmoid += 1
        sigmoid *= 0.5
        r, z, n = a[:, :H], a[:, H : 2 * H], a[:, 2 * H :]
        n += self.b_hn
        n *= r
        n += x_BG[:, 2 * H :]
        np.tanh(n, out=n)
        h = h - n
        h *= z
        h += n
        return (h,)


CELL_CLASSES: dict[str, type[RNN]] = {
    "rnn": RNN,
    "rnn-relu": ReluRNN,
    "lstm": LSTM,
    "lstm-peephole": PeepholeLSTM,
    "gru": GRU,
}


class RecurrentLM:
    """A recurrent language model; obeys `lm.CausalLM`. Log-probabilities are float32 nats.

    x_t = embedding of token t;  h_t = cell(x_t, …), layer upon layer;
    u = tanh(D h + d), `dense` times;  P(next token) = softmax(O u + b).
    """

    def __init__(
        self, config: NetworkConfig, tensors: Mapping[str, npt.NDArray[np.float32]], eos: int
    ) -> None:
        """Build from the tensors that `config.shapes()` names; `eos` is the id of <EOS>.

        Raises CharlmError where names, shapes or types are not those of the configuration.
        """
        check_tensors(config, tensors)
        self.config = config
        self.tensors = tensors
        self.vocab_size = config.vocab_size
        self.eos = eos
        self.embedding = tensors["embedding.weight"]
        self.cells: list[RNN] = []
        initial: list[Cell] = []
        for k in range(config.layers):
            prefix = f"rnn.{k}."
            weights = {n.removeprefix(prefix): t for n, t in tensors.items() if prefix in n}
            self.cells.append(CELL_CLASSES[config.cell](weights))
            parts = ("h0", "c0") if config.cell.startswith("lstm") else ("h0",)
            zero = np.zeros(config.hidden, np.float32)
            initial.append(tuple(weights.get(part, zero)[None] for part in parts))
        self.initial = RecurrentState(tuple(initial))
        self.dense = [
            (tensors[f"dense.{k}.weight"], tensors[f"dense.{k}.bias"]) for k in range(config.dense)
        ]
        self.projection = tensors.get("projection.weight")
        self.output = self.embedding if config.tied else tensors["output.weight"]
        self.output_bias = tensors["output.bias"]

    # The contract -----------------------------------------------------------------------------

    def start(self, batch: int) -> RecurrentState:
        """The state of `batch` texts just after <EOS>: at the beginning of a sentence."""
        return self._start.take(np.zeros(batch, np.intp))

    def blank(self, batch: int) -> RecurrentState:
        """The state of `batch` texts before any token."""
        return self.initial.take(np.zeros(batch, np.intp))

    def predict(self, state: RecurrentState) -> Nats:
        """(B, V) log-probabilities of the next token, nats."""
        z = self.logits(state.layers[-1][0])
        z -= z.max(axis=1, keepdims=True)
        z -= np.log(np.exp(z).sum(axis=1, keepdims=True))
        return z

    def advance(self, state: RecurrentState, ids_B: Ids) -> RecurrentState:
        """The state after one more token in every row. `state` itself is unchanged."""
        layers: list[Cell] = []
        x = self.inputs(ids_B)
        for k, cell in enumerate(self.cells):
            if k > 0:
                x = cell.inputs(layers[-1][0])
            layers.append(cell.step(x, state.layers[k]))
        return RecurrentState(tuple(layers))

    def follow(self, state: RecurrentState, ids_BT: Ids) -> tuple[Nats, RecurrentState]:
        """Log-probability of each of T further tokens, (B, T) nats, and the state after them.

        All that needs no memory (input and output products) is one large matrix product for
        many time steps; only the recurrent product is taken step by step.
        """
        B, T = ids_BT.shape
        nats = np.empty((B, T), np.float32)
        width = max(self.config.gates * self.config.hidden, self.config.embed)
        chunk = max(1, CHUNK // (max(B, 1) * width))
        for t in range(0, T, chunk):
            ids_TB = ids_BT[:, t : t + chunk].T
            top_TBH, state = self._read(state, ids_TB)
            nats[:, t : t + chunk] = self._gather(top_TBH, ids_TB).T
        return nats, state

    def logprobs(self, seqs: Sequence[Ids]) -> list[Nats]:
        """Give log P(each token | those before it in its sequence), (len(seq),) nats each.

        Sequences of like length are run side by side; memory is bounded however long they are.
        """
        result: list[Nats] = [np.zeros(0, np.float32)] * len(seqs)
        for rows in batches([len(seq) for seq in seqs]):
            ids_BT = np.full((len(rows), len(seqs[rows[0]])), self.eos, np.int32)
            for b, row in enumerate(rows):
                ids_BT[b, : len(seqs[row])] = seqs[row]
            nats, _ = self.follow(self.start(len(rows)), ids_BT)
            for b, row in enumerate(rows):
                result[row] = nats[b, : len(seqs[row])]
        return result

    # Parts of the network ---------------------------------------------------------------------

    def inputs(self, ids_N: Ids) -> Array:
        """The first layer's W x + b for tokens `ids`: (N, G·H).

        A small vocabulary's products are all computed at the first use and then looked up.
        """
        if self._table is not None:
            return self._table[ids_N]
        return self.cells[0].inputs(self.embedding[ids_N])

    def logits(self, top_NH: Array) -> Array:
        """From the uppermost layer's h to unnormalised log-probabilities, (N, V)."""
        x = top_NH
        for weight, bias in self.dense:
            x = times(weight, x)
            x += bias
            np.tanh(x, out=x)
        if self.projection is not None:
            x = times(self.projection, x)
        x = times(self.output, x)
        x += self.output_bias
        return x

    @cached_property
    def _start(self) -> RecurrentState:
        return self.advance(self.initial, np.array([self.eos]))

    @cached_property
    def _table(self) -> Array | None:
        size = self.vocab_size * self.config.gates * self.config.hidden * 4
        return self.cells[0].inputs(self.embedding) if size <= TABLE_BYTES else None

    def _read(self, state: RecurrentState, ids_TB: Ids) -> tuple[Array, RecurrentState]:
        """Run the stack over T tokens: the top h *before* each of them (T, B, H), and the end."""
        T, B = ids_TB.shape
        H = self.config.hidden
        layers = []
        h_TBH = np.empty((T + 1, B, H), np.float32)
        for k, cell in enumerate(self.cells):
            x = self.inputs(ids_TB.ravel()) if k == 0 else cell.inputs(h_TBH[1:].reshape(-1, H))
            x_TBG = x.reshape(T, B, -1)
            now = state.layers[k]
            h_TBH[0] = now[0]
            for t in range(T):
                now = cell.step(x_TBG[t], now)
                h_TBH[t + 1] = now[0]
            layers.append(now)
        return h_TBH[:-1], RecurrentState(tuple(layers))

    def _gather(self, top_TBH: Array, ids_TB: Ids) -> Array:
        """Give log P(ids | the states they were predicted from), (T, B); few logits at a time."""
        top_NH = top_TBH.reshape(-1, top_TBH.shape[-1])
        ids_N = ids_TB.ravel()
        nats = np.empty(len(ids_N), np.float32)
        chunk = max(1, CHUNK // self.vocab_size)
        for n in range(0, len(ids_N), chunk):
            z = self.logits(top_NH[n : n + chunk])
            z -= z.max(axis=1, keepdims=True)
            chosen = z[np.arange(len(z)), ids_N[n : n + chunk]]
            nats[n : n + chunk] = chosen - np.log(np.exp(z, out=z).sum(axis=1))
        return nats.reshape(ids_TB.shape)


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Group the places of non-empty sequences: longest first, none below half its group's longest.

    So at most half of a padded batch is padding, whatever the lengths.
    """
    order = sorted((i for i, n in enumerate(lengths) if n > 0), key=lambda i: -lengths[i])
    group: list[int] = []
    for i in order:
        if group and (len(group) == ROWS or 2 * lengths[i] < lengths[group[0]]):
            yield group
            group = []
        group.append(i)
    if group:
        yield group


def check_tensors(config: NetworkConfig, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
    """Raise CharlmError unless `tensors` are those that `config.shapes()` calls for."""
    shapes = config.shapes()
    for name in sorted(shapes.keys() ^ tensors.keys()):
        state = "is missing" if name in shapes else "does not belong there"
        raise CharlmError(f"the network's tensor {name!r} {state}: the model file is damaged")
    for name, shape in shapes.items():
        tensor = tensors[name]
        if tensor.shape != shape or tensor.dtype != np.float32:
            raise CharlmError(
                f"the network's tensor {name!r} is {tensor.dtype} {tensor.shape}, "
                f"not float32 {shape}: the model file is damaged"
            )
