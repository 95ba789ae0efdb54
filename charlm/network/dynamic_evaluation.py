"""Dynamic evaluation: a network that keeps learning from the text it has just scored.

After each segment the weights take a gradient step on its loss, and a small step back to their
initial values, so that what was learned in training is not lost (Mikolov et al. 2010; Krause et al.
2018):

    θ ← θ − η ∇L / (RMS(∇L) + ε) + λ (θ_0 − θ)

Every token is scored before it is learned from, so the numbers are comparable with static ones.
RMS(∇L) is the root of a running mean of squared gradients, entry by entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from ..errors import CharlmError
from ..lm import Ids, LanguageModel, Nats
from ..models.recurrent import recurrent
from .network import Network, NetworkState, detach

SEGMENT_TOKENS = 32  # tokens scored between steps
LEARNING_RATE = 4e-4  # best with λ = 1e-3 on tinyshakespeare: 0.073 nats per character less
DECAY = 1e-3  # λ, the fraction of the way back taken at each step
SQUARES_DECAY = 0.999  # of the running mean of squares
EPSILON = 1e-5


class DynamicLM:
    """A recurrent network that learns as it reads; obeys `lm.LearningLM`."""

    order = 0
    pseudo = False
    learns = True

    def __init__(self, lm: LanguageModel, rate: float = LEARNING_RATE) -> None:
        """Raises CharlmError for a model that is not a recurrent network."""
        start = recurrent(lm, "`adapt`")
        self.vocab_size, self.eos, self.rate = start.vocab_size, start.eos, rate
        self.network = Network.of(start.config, start.tensors).eval()  # no dropout
        self.parameters: list[Tensor] = list(self.network.parameters())
        self.initial = [p.detach().clone() for p in self.parameters]
        self.squares = [torch.zeros_like(p) for p in self.parameters]
        self.steps = 0

    def start(self, batch: int) -> NetworkState:
        """The state just after <EOS>, of one text."""
        if batch != 1:
            raise CharlmError("texts must be read one at a time")
        with torch.no_grad():
            _, state = self.network.hidden_states(torch.tensor([[self.eos]]), self.network.start(1))
        return detach(state)

    def read(self, state: NetworkState, ids_BT: Ids) -> tuple[Nats, NetworkState]:
        """Log-probability of T further tokens, (1, T) nats; learns from each segment of them."""
        found = [np.zeros(0, np.float32)]
        for ids_T in _segments(ids_BT):
            nats_TV, state = self._segment(state, ids_T)
            found.append(nats_TV[np.arange(len(ids_T)), ids_T])
        return np.concatenate(found)[None], state

    def read_all(self, state: NetworkState, ids_BT: Ids) -> tuple[Nats, NetworkState]:
        """`read`, with the log-probability of every token in each place: (1, T, V) nats."""
        found = [np.zeros((0, self.vocab_size), np.float32)]
        for ids_T in _segments(ids_BT):
            nats_TV, state = self._segment(state, ids_T)
            found.append(nats_TV)
        return np.concatenate(found)[None], state

    def logprobs(self, seqs: Sequence[Ids]) -> list[Nats]:
        """The same for whole sequences in order, each from the beginning of a sentence."""
        return [self.read(self.start(1), np.asarray(seq)[None])[0][0] for seq in seqs]

    def _segment(self, state: NetworkState, ids: Ids) -> tuple[Nats, NetworkState]:
        """Score every token in each place of a segment, (T, V) nats, then learn from it."""
        network, ids_T = self.network, torch.from_numpy(ids)
        before_TBH, after = network.hidden_before(ids_T[:, None], state)
        logits = torch.nn.functional.linear(
            network.head(before_TBH)[:, 0], network.output.weight, network.output.bias
        )
        nats_TV = logits.log_softmax(1)
        loss = torch.nn.functional.nll_loss(nats_TV, ids_T)
        gradients = torch.autograd.grad(loss, self.parameters, allow_unused=True)
        self._step(
            [
                torch.zeros_like(p) if g is None else g
                for p, g in zip(self.parameters, gradients, strict=True)
            ]
        )
        return nats_TV.detach().numpy(), detach(after)

    @torch.no_grad()
    def _step(self, gradients: list[Tensor]) -> None:
        self.steps += 1
        torch._foreach_mul_(self.squares, SQUARES_DECAY)
        torch._foreach_addcmul_(self.squares, gradients, gradients, value=1 - SQUARES_DECAY)
        scale = torch._foreach_div(self.squares, 1 - SQUARES_DECAY**self.steps)
        torch._foreach_sqrt_(scale)
        torch._foreach_add_(scale, EPSILON)
        torch._foreach_addcdiv_(self.parameters, gradients, scale, value=-self.rate)
        torch._foreach_lerp_(self.parameters, self.initial, DECAY)


def _segments(ids_1T: Ids) -> Iterator[Ids]:
    """One text, SEGMENT_TOKENS at a time."""
    ids_T = np.ascontiguousarray(ids_1T[0], dtype=np.int64)
    for first in range(0, len(ids_T), SEGMENT_TOKENS):
        yield ids_T[first : first + SEGMENT_TOKENS]
