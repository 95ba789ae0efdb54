"""The network in one process, and its share of every batch.

Of B streams a process owns consecutive ones, with their hidden states. The gradient is the mean
over the tokens of all streams, so it is clipped after it has been added up, and every process makes
the same step from it.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from ..config import NetworkConfig, TrainConfig
from ..lm import Ids
from ..network.network import NetworkState, detach, new_network
from . import optimiser, row_gradients
from .processes import Alone
from .streams import Streams

RESET_PROBABILITY = 1 / 16  # that a row's hidden state is reset at a batch


class Replica:
    """Network, optimiser and the hidden states of this process's streams."""

    def __init__(
        self,
        network_config: NetworkConfig,
        config: TrainConfig,
        ids: Ids,
        processes: Alone | None = None,
    ) -> None:
        """ids: the training text, (N,). Raises CharlmError if it is too short for one batch."""
        self.config, self.processes = config, processes or Alone()
        self.network = new_network(network_config, config, ids)
        self.optimizer = optimiser.build(config, self.network)
        self.streams = Streams(ids, config.batch_size, config.bptt, config.seed)
        self.rows = self.processes.rows(config.batch_size)
        self.state = self.network.start(self.rows.stop - self.rows.start)
        self.stop = False  # whether a process was asked to stop

    def gradients(self, step: int, *, stop: bool = False) -> tuple[float, float]:
        """Clipped gradients of the batch of a step, of all streams.

        Returns loss (nats per token) and gradient norm. stop: this process was asked to stop.
        """
        self.streams.seek(step)
        batch = self.streams.next()
        state = self._state_for(step, batch.fresh)
        x_TB, y_TB = (
            torch.from_numpy(np.ascontiguousarray(part[:, self.rows])).to(self.config.device)
            for part in (batch.x_TB, batch.y_TB)
        )
        self.processes.seed(self.config.seed, step)
        self.optimizer.zero_grad(set_to_none=True)
        loss, after = self.network(x_TB, y_TB, state)
        loss.backward()
        by_word = self.network.by_word() if self.network.rows_only else []
        if self.processes.count > 1:  # they have used different rows
            for p in by_word:
                p.grad = None if p.grad is None else p.grad.to_dense()
        share = (self.rows.stop - self.rows.start) / self.config.batch_size
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        value, stops = self.processes.add_up(
            gradients, share, [share * float(loss.detach()), float(stop)], self.config.reduction
        )
        self.stop = stops > 0
        for p in by_word:
            p.grad = None if p.grad is None else row_gradients.rows(p.grad)
        norm = optimiser.clip(self.config, self.network.parameters())
        if math.isfinite(value) and math.isfinite(norm):
            self.state = detach(after)
        return value, norm

    def _state_for(self, step: int, fresh: bool) -> NetworkState:
        """The carried state, reset in all rows (`fresh`) or in a few drawn from seed and step.

        A network that starts from the initial state only once an epoch does not learn to: on Brown,
        one that had perplexity 230 from the start of the text had 10⁹ from some points within it.
        """
        drawn = np.random.default_rng((self.config.seed, step)).random(self.config.batch_size)
        reset_B1 = torch.from_numpy(((drawn < RESET_PROBABILITY) | fresh)[self.rows])[:, None].to(
            self.config.device
        )
        return tuple(
            tuple(torch.where(reset_B1, new, old) for new, old in zip(*layers, strict=True))
            for layers in zip(self.network.start(len(reset_B1)), self.state, strict=True)
        )

    def update(self, rate: float) -> None:
        """Take the optimiser step at this learning rate."""
        optimiser.set_rate(self.optimizer, rate)
        self.optimizer.step()

    def whole_state(self) -> NetworkState:
        """The hidden states of all streams, (B, …); asked for by all processes at once."""
        return tuple(
            tuple(self.processes.joined(part, self.rows, self.config.batch_size) for part in layer)
            for layer in self.state
        )

    def share(self, state: NetworkState | None = None) -> None:
        """Give all processes the first one's weights, moments, and hidden states of all streams.

        state: those hidden states, in the first process; called by all processes at once.
        """
        if self.processes.count > 1:
            self._receive(state)
        elif state is not None:
            self.state = state

    def _receive(self, state: NetworkState | None) -> None:
        same = self.processes.same
        for parameter in self.network.parameters():
            same(parameter.data)
        moments = optimiser.get_state(self.optimizer, self.network)
        shapes = self.processes.agree({name: list(t.shape) for name, t in moments.items()})
        device = self.config.device
        received = {}
        for name, shape in shapes.items():
            where = "cpu" if name.endswith("/step") else device  # all send from the same place
            own = moments.get(name, torch.empty(shape, device=where)).to(where)
            same(own)
            received[name] = own
        optimiser.set_state(self.optimizer, self.network, received)
        whole = self.network.start(self.config.batch_size) if state is None else state
        for layer in whole:
            for part in layer:
                same(part)
        self.state = tuple(tuple(part[self.rows].clone() for part in layer) for layer in whole)
