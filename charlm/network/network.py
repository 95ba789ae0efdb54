"""The recurrent network in torch: what is trained. Its NumPy twin for use is `recurrent.py`.

    x_t ─embedding─▶ rnn.0 ─▶ … ─▶ rnn.L-1 ─▶ dense.* ─▶ [projection] ─▶ output ─▶ softmax

In a residual network each layer after the first reads the sum of the outputs of those below it, and
what leaves the stack is the sum of all (He et al. 2016; Prakash et al. 2016).

Parameters carry the names and shapes of `NetworkConfig.shapes`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..config import NetworkConfig, TrainConfig
from ..lm import Ids
from .loss import cross_entropy, token_nats
from .recurrent_layer import Layer, LayerState, kept
from .softmax_sample import SoftmaxSample, frequencies

NetworkState: TypeAlias = tuple[LayerState, ...]  # one a layer

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


class Network(nn.Module):
    """A recurrent language model under training."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        V, E, H = config.vocab_size, config.embed, config.hidden
        self.embedding = nn.Embedding(V, E)
        self.rnn = nn.ModuleList(Layer(config, E if k == 0 else H) for k in range(config.layers))
        self.back = nn.ModuleList(
            Layer(config, E if k == 0 else H) for k in range(config.layers * config.bidirectional)
        )
        self.dense = nn.ModuleList(
            nn.Linear(config.top if k == 0 else H, H) for k in range(config.dense)
        )
        seen = H if config.dense else config.top
        self.projected = config.tied and seen != E
        if self.projected:
            self.projection = nn.Linear(seen, E, bias=False)
        self.output = nn.Linear(E if config.tied else seen, V)
        if config.tied:  # Press and Wolf 2017; Inan et al. 2017
            self.output.weight = self.embedding.weight
        self.precision = torch.float32
        self.softmax_sample: SoftmaxSample | None = None  # in training; None: all words
        self.rows_only = False  # whether gradients by words are of the rows that were used

    @classmethod
    def of(cls, config: NetworkConfig, tensors: Mapping[str, npt.NDArray[np.float32]]) -> Network:
        """The network of a model file."""
        network = cls(config)
        own = dict(network.named_parameters())
        with torch.no_grad():
            for name, tensor in tensors.items():
                own[name].copy_(torch.from_numpy(tensor))
        return network

    def initialise(self, seed: int) -> None:
        """Fresh weights, the same for the same seed."""
        torch.manual_seed(seed)
        with torch.no_grad():
            nn.init.normal_(self.embedding.weight, std=1 / math.sqrt(self.config.embed))
            for layer in [*self.layers(), *self.backward_layers()]:
                layer.initialise()
            for linear in self.dense:
                assert isinstance(linear, nn.Linear)
                nn.init.xavier_uniform_(linear.weight)
                nn.init.zeros_(linear.bias)
            if self.projected:
                nn.init.xavier_uniform_(self.projection.weight)
            if not self.config.tied:
                bound = 1 / math.sqrt(self.config.hidden)
                nn.init.uniform_(self.output.weight, -bound, bound)
            nn.init.zeros_(self.output.bias)

    def layers(self) -> Sequence[Layer]:
        return [layer for layer in self.rnn if isinstance(layer, Layer)]

    def backward_layers(self) -> Sequence[Layer]:
        """Those that read from the right, where there are any."""
        return [layer for layer in self.back if isinstance(layer, Layer)]

    def start(self, batch: int) -> NetworkState:
        """The state before the first token of `batch` streams."""
        return tuple(layer.start(batch) for layer in self.layers())

    def hidden_states(self, x_TB: Tensor, state: NetworkState) -> tuple[Tensor, NetworkState]:
        """What leaves the stack, (T, B, H), and the state after step T."""
        return self._run(self.layers(), x_TB, state)

    def hidden_after(self, y_TB: Tensor) -> Tensor:
        """What the layers that read from the right know of the tokens after each of T, (T, B, H).

        Of what follows the last of them they know nothing.
        """
        layers, (T, B) = self.backward_layers(), y_TB.shape
        state = tuple(layer.start(B) for layer in layers)
        last_1BH = self.top(state).to(self.precision)[None]
        if T == 1:
            return last_1BH
        read_TBH, _ = self._run(layers, y_TB.flip(0)[:-1], state)
        return torch.cat([last_1BH, read_TBH]).flip(0)

    def _run(
        self, layers: Sequence[Layer], x_TB: Tensor, state: NetworkState
    ) -> tuple[Tensor, NetworkState]:
        config, after = self.config, []
        rows_only = self.rows_only and self.training
        x = functional.embedding(x_TB, self.embedding.weight, sparse=rows_only).to(self.precision)
        x = self._drop(x, config.dropout_input)
        for k, layer in enumerate(layers):
            below, read = x, x if k == 0 else self._drop(x, config.dropout_between)
            x, layer_after = layer(read, state[k])
            after.append(layer_after)
            if config.residual and k > 0:
                x = below + x
        return x, tuple(after)

    def top(self, state: NetworkState) -> Tensor:
        """What has left the stack in `state`, (B, H)."""
        outputs = [layer[0] for layer in state]
        return torch.stack(outputs).sum(0) if self.config.residual else outputs[-1]

    def hidden_before(self, ids_TB: Tensor, state: NetworkState) -> tuple[Tensor, NetworkState]:
        """The hidden states that T tokens are predicted from, and the state after the last."""
        tops_TBH, after = self.hidden_states(ids_TB, state)
        return torch.cat([self.top(state).to(tops_TBH.dtype)[None], tops_TBH[:-1]]), after

    def head(self, x: Tensor) -> Tensor:
        """From hidden states (…, H) to what the softmax sees, (…, D)."""
        config = self.config
        x = self._drop(x, config.dropout_output)
        for linear in self.dense:
            assert isinstance(linear, nn.Linear)
            weight, bias = linear.weight.to(x.dtype), linear.bias.to(x.dtype)
            x = functional.linear(x, weight, bias).tanh()
        if self.projected:
            x = functional.linear(x, self.projection.weight.to(x.dtype))
        return x

    def features(
        self, x_TB: Tensor, y_TB: Tensor, state: NetworkState
    ) -> tuple[Tensor, NetworkState]:
        """What the softmax sees of each y, (T, B, D), and the state after step T.

        x_t is the token before y_t. With layers that read from the right (Schuster and Paliwal
        1997) also what they know of the y after it; never y_t itself.
        """
        tops_TBH, after = self.hidden_states(x_TB, state)
        if self.config.bidirectional:
            tops_TBH = torch.cat([tops_TBH, self.hidden_after(y_TB)], dim=2)
        return self.head(tops_TBH), after

    def forward(
        self, x_TB: Tensor, y_TB: Tensor, state: NetworkState
    ) -> tuple[Tensor, NetworkState]:
        """Mean −log P(y) in nats per token, a scalar, and the state after step T.

        In training it may be an estimate, see `softmax_sample`.
        """
        x, after = self.features(x_TB, y_TB, state)
        y_N, sample = y_TB.flatten(), None
        if self.training and self.softmax_sample is not None:
            sample = self.softmax_sample.draw(y_N)
        weight, bias, rows_only = self.output.weight, self.output.bias, self.rows_only
        loss = cross_entropy(x.flatten(0, 1), weight, bias, y_N, sample, rows_only=rows_only)
        return loss, after

    def by_word(self) -> list[nn.Parameter]:
        """The matrices with a row for each word."""
        embedding = next(self.embedding.parameters())
        return [embedding] if self.config.tied else [embedding, next(self.output.parameters())]

    @torch.no_grad()
    def nats(self, x_TB: Tensor, y_TB: Tensor, state: NetworkState) -> tuple[Tensor, NetworkState]:
        """log P of every y, (T, B) nats, without gradients, and the state after step T."""
        x, after = self.features(x_TB, y_TB, state)
        nats = token_nats(x.flatten(0, 1), self.output.weight, self.output.bias, y_TB.flatten())
        return nats.view(y_TB.shape), after

    def tensors(self) -> dict[str, npt.NDArray[np.float32]]:
        """The weights as NumPy arrays under their file names (tied weights once)."""
        names = self.config.shapes()
        own = dict(self.named_parameters())
        return {name: own[name].detach().float().cpu().numpy() for name in names}

    def _drop(self, x_TBD: Tensor, rate: float) -> Tensor:
        """Locked dropout: the same entries of all T steps (Gal and Ghahramani 2016).

        On connections that are not recurrent (Zaremba et al. 2014).
        """
        if not rate or not self.training:
            return x_TBD
        return x_TBD * kept(x_TBD[:1], rate)


def detach(state: NetworkState) -> NetworkState:
    """Cut the gradient: what makes BPTT truncated."""
    return tuple(tuple(s.detach() for s in layer) for layer in state)


def new_network(shape: NetworkConfig, config: TrainConfig, ids: Ids | None = None) -> Network:
    """A freshly initialised network on its device, ready to train.

    ids: the training text. With it the softmax starts from unigram probabilities, and words of a
    large one are drawn by their frequency.
    """
    network = Network(shape)
    network.initialise(config.seed)
    network.precision = DTYPES[config.precision]
    if ids is not None:
        with torch.no_grad():
            network.output.bias.copy_(torch.from_numpy(log_unigram(ids, shape.vocab_size)))
        if 0 < config.softmax_sample < shape.vocab_size:
            network.softmax_sample = SoftmaxSample(ids, shape.vocab_size, config.softmax_sample)
    network.train()
    return network.to(config.device)


def log_unigram(ids: Ids, vocab_size: int) -> npt.NDArray[np.float32]:
    """log P of every token by its frequency, add-one smoothed (Laplace), (V,) nats.

    A bias changes by about the learning rate a step, and would need a thousand steps to get there
    (docs/decisions/0036).
    """
    counts_V = frequencies(ids, vocab_size) + 1.0
    log_V: npt.NDArray[np.float64] = np.log(counts_V / counts_V.sum())
    return log_V.astype(np.float32)
