"""Recurrent networks in NumPy, built of the cells in `cells.py`.

This is what a finished model runs on: no torch, a cold start of a tenth of a second, and arithmetic
that a learner can read beside a textbook. `network.py` holds the same cells in torch
for training; the two agree to 1e-5.

Shape letters: T time steps, B batch rows, V vocabulary, E embedding, H hidden units, G gates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ..config import NetworkConfig
from ..errors import CharlmError
from ..lm import Ids, LanguageModel, Nats, sequential
from .arithmetic import NUMPY, Arithmetic, Array
from .causal import CausalModel
from .cells import CELL_CLASSES, RNN, Cell
from .padding import rows_that_fit

TABLE_BYTES = 16 << 20  # of the table of first-layer products, see Stack.inputs


@dataclass(frozen=True)
class RecurrentState:
    """The state of B texts: for each layer h (B, H), and c (B, H) if the cell has one."""

    layers: tuple[Cell, ...]

    def take(self, rows: Ids) -> Self:
        """The states of the texts `rows`, in that order; a row may be taken more than once."""
        return type(self)(tuple(tuple(part[rows] for part in cell) for cell in self.layers))

    def joined(self, other: Self) -> Self:
        """The states of these texts and, after them, of the texts of `other`."""
        cells = zip(self.layers, other.layers, strict=True)
        return type(self)(
            tuple(
                tuple(map(np.concatenate, zip(ours, theirs, strict=True))) for ours, theirs in cells
            )
        )


class Stack:
    """Stacked recurrent layers, from token ids to the hidden states that predictions are made from.

    x_t = embedding of token t;  h_t = cell(x_t, …), layer by layer. Each layer reads the h_t of the
    one below it, and the uppermost h_t is what leaves the stack; in a residual network it is the
    sum of the h_t of all layers below it, and of all layers (Prakash et al. 2016).
    """

    def __init__(
        self,
        config: NetworkConfig,
        tensors: Mapping[str, npt.NDArray[np.float32]],
        name: str = "rnn",
        arithmetic: Arithmetic = NUMPY,
    ) -> None:
        """From the tensors `name`.k.… of layers k."""
        self.config, self.embedding = config, tensors["embedding.weight"]
        self.cells: list[RNN] = []
        initial: list[Cell] = []
        for k in range(config.layers):
            prefix = f"{name}.{k}."
            weights = {n.removeprefix(prefix): t for n, t in tensors.items() if prefix in n}
            self.cells.append(CELL_CLASSES[config.cell](weights, arithmetic))
            zero = np.zeros(config.hidden, np.float32)
            initial.append(
                tuple(weights.get(part, zero)[None] for part in config.cell_shape.memory)
            )
        self.initial = RecurrentState(tuple(initial))

    def empty(self, batch: int) -> RecurrentState:
        """The state of `batch` texts before any token."""
        return self.initial.take(np.zeros(batch, np.intp))

    def inputs(self, ids_N: Ids) -> Array:
        """The first layer's U x + b for tokens `ids`: (N, G·H).

        For a small vocabulary all products are computed on first use and then looked up.
        """
        if self._table is not None:
            return self._table[ids_N]
        return self.cells[0].inputs(self.embedding[ids_N])

    def advance(self, state: RecurrentState, ids_B: Ids) -> RecurrentState:
        """The state after one more token in every row. `state` itself is unchanged."""
        return self.step(state, self.inputs(ids_B))

    def step(self, state: RecurrentState, x: Array) -> RecurrentState:
        """`advance`, from the first layer's U x + b for B tokens, (B, G·H)."""
        layers: list[Cell] = []
        for k, cell in enumerate(self.cells):
            if k > 0:
                x = cell.inputs(self.top([layer[0] for layer in layers]))
            layers.append(cell.step(x, state.layers[k]))
        return RecurrentState(tuple(layers))

    def top(self, h: Sequence[Array]) -> Array:
        """What layers with these h give to the next one, or the last to the head, (…, H)."""
        return sum(h[1:], start=h[0]) if self.config.residual else h[-1]

    def hidden_before(self, state: RecurrentState, ids_TB: Ids) -> tuple[Array, RecurrentState]:
        """Read T tokens: the top h *before* each of them (T, B, H), and the state at the end.

        The top h is what leaves the stack.
        """
        T, B = ids_TB.shape
        H = self.config.hidden
        layers: list[Cell] = []
        h: list[Array] = []
        for k, cell in enumerate(self.cells):
            if k == 0:
                x = self.inputs(ids_TB.ravel())
            else:
                x = cell.inputs(self.top(h)[1:].reshape(-1, H))
            x_TBG = x.reshape(T, B, -1)
            h_TBH = np.empty((T + 1, B, H), np.float32)
            now = state.layers[k]
            h_TBH[0] = now[0]
            for t in range(T):
                now = cell.step(x_TBG[t], now)
                h_TBH[t + 1] = now[0]
            layers.append(now)
            h.append(h_TBH)
        return self.top(h)[:-1], RecurrentState(tuple(layers))

    @property
    def chunk(self) -> int:
        """Tokens to read at a time, over all rows, to keep intermediate results small."""
        widest = max(self.config.gates * self.config.hidden, self.config.embed)
        return rows_that_fit(widest)

    @cached_property
    def _table(self) -> Array | None:
        size = self.config.vocab_size * self.config.gates * self.config.hidden * 4
        return self.cells[0].inputs(self.embedding) if size <= TABLE_BYTES else None


class Head:
    """From hidden states to probabilities.

    u = tanh(D h + d), `dense` times;  P(token) = softmax(V u + c).
    """

    def __init__(
        self,
        config: NetworkConfig,
        tensors: Mapping[str, npt.NDArray[np.float32]],
        arithmetic: Arithmetic = NUMPY,
    ) -> None:
        self.arithmetic, self.vocab_size = arithmetic, config.vocab_size
        matrix = arithmetic.matrix
        self.dense = [
            (matrix(tensors[f"dense.{k}.weight"]), tensors[f"dense.{k}.bias"])
            for k in range(config.dense)
        ]
        projection = tensors.get("projection.weight")
        self.projection = None if projection is None else matrix(projection)
        self.output = matrix(tensors["embedding.weight" if config.tied else "output.weight"])
        self.bias = tensors["output.bias"]

    def logits(self, top_NH: Array) -> Array:
        """Unnormalised log-probabilities, (N, V)."""
        times, x = self.arithmetic.times, top_NH
        for weight, bias in self.dense:
            x = times(weight, x)
            x += bias
            self.arithmetic.tanh(x, out=x)
        if self.projection is not None:
            x = times(self.projection, x)
        x = times(self.output, x)
        x += self.bias
        return x

    def predict(self, top_NH: Array) -> Nats:
        """(N, V) log-probabilities, nats."""
        z = self.logits(top_NH)
        z -= z.max(axis=1, keepdims=True)
        z -= np.log(np.exp(z).sum(axis=1, keepdims=True))
        return z

    def gather(self, top_TBH: Array, ids_TB: Ids) -> Array:
        """log P(ids | the states they are predicted from), (T, B); the logits in chunks."""
        top_NH = top_TBH.reshape(-1, top_TBH.shape[-1])
        ids_N = ids_TB.ravel()
        nats = np.empty(len(ids_N), np.float32)
        chunk = rows_that_fit(self.vocab_size)
        for n in range(0, len(ids_N), chunk):
            z = self.logits(top_NH[n : n + chunk])
            z -= z.max(axis=1, keepdims=True)
            chosen = z[np.arange(len(z)), ids_N[n : n + chunk]]
            nats[n : n + chunk] = chosen - np.log(np.exp(z, out=z).sum(axis=1))
        return nats.reshape(ids_TB.shape)


class RecurrentLM(CausalModel[RecurrentState]):
    """A recurrent language model; obeys `lm.CausalLM`. Log-probabilities are float32 nats."""

    def __init__(
        self,
        config: NetworkConfig,
        tensors: Mapping[str, npt.NDArray[np.float32]],
        eos: int,
        arithmetic: Arithmetic = NUMPY,
    ) -> None:
        """Build from the tensors that `config.shapes()` names; `eos` is the id of <EOS>.

        Raises CharlmError if names, shapes or types do not match the configuration.
        """
        check_tensors(config, tensors)
        self.config, self.tensors = config, tensors
        self.vocab_size, self.eos = config.vocab_size, eos
        self.stack = Stack(config, tensors, arithmetic=arithmetic)
        self.head = Head(config, tensors, arithmetic)

    def start(self, batch: int) -> RecurrentState:
        """The state of `batch` texts just after <EOS>: at the beginning of a sentence."""
        return self._start.take(np.zeros(batch, np.intp))

    def empty(self, batch: int) -> RecurrentState:
        """The state of `batch` texts before any token."""
        return self.stack.empty(batch)

    def predict(self, state: RecurrentState) -> Nats:
        """(B, V) log-probabilities of the next token, nats."""
        return self.head.predict(self.stack.top([layer[0] for layer in state.layers]))

    def advance(self, state: RecurrentState, ids_B: Ids) -> RecurrentState:
        """The state after one more token in every row. `state` itself is unchanged."""
        return self.stack.advance(state, ids_B)

    def read(self, state: RecurrentState, ids_BT: Ids) -> tuple[Nats, RecurrentState]:
        """Log-probability of each of T further tokens, (B, T) nats, and the state after them.

        Input and output products are one large matrix product over many time steps; only the
        recurrent product is computed step by step.
        """
        B, T = ids_BT.shape
        nats = np.empty((B, T), np.float32)
        chunk = max(1, self.stack.chunk // max(B, 1))
        for t in range(0, T, chunk):
            ids_TB = ids_BT[:, t : t + chunk].T
            top_TBH, state = self.stack.hidden_before(state, ids_TB)
            nats[:, t : t + chunk] = self.head.gather(top_TBH, ids_TB).T
        return nats, state

    def read_all(self, state: RecurrentState, ids_BT: Ids) -> tuple[Nats, RecurrentState]:
        """`read`, with the log-probability of every token in each place: (B, T, V) nats."""
        B, T = ids_BT.shape
        nats_BTV = np.empty((B, T, self.vocab_size), np.float32)
        chunk = max(1, self.stack.chunk // max(B, 1))
        for t in range(0, T, chunk):
            top_TBH, state = self.stack.hidden_before(state, ids_BT[:, t : t + chunk].T)
            nats_NV = self.head.predict(top_TBH.reshape(-1, top_TBH.shape[-1]))
            nats_BTV[:, t : t + chunk] = nats_NV.reshape(-1, B, self.vocab_size).swapaxes(0, 1)
        return nats_BTV, state

    def read_hidden(self, state: RecurrentState, ids_T: Ids) -> tuple[Array, Nats, RecurrentState]:
        """`read` for one text, with the top hidden states that each token is predicted from.

        Returns these, (T, H), the tokens' log-probabilities, (T,) nats, and the state after them.
        """
        top_T1H, after = self.stack.hidden_before(state, ids_T[:, None])
        return top_T1H[:, 0], self.head.gather(top_T1H, ids_T[:, None])[:, 0], after

    @cached_property
    def _start(self) -> RecurrentState:
        return self.advance(self.stack.initial, np.array([self.eos]))


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
        if not np.isfinite(tensor).all():
            raise CharlmError(f"the network's tensor {name!r} holds NaN or infinite weights")


def recurrent(lm: LanguageModel, what: str) -> RecurrentLM:
    """`lm`, if it is a recurrent network, which `what` needs.

    Raises CharlmError for a bidirectional network and for any other model.
    """
    sequential(lm)
    if not isinstance(lm, RecurrentLM):
        raise CharlmError(f"{what} is for recurrent networks, and this model is not one")
    return lm
