"""The neural cache: words that followed similar hidden states become more probable.

    P(w | c) = (1 − λ) P_network(w | c) + λ P_cache(w | c)
    P_cache(w | c) = Σ_{i: x_{i+1} = w} exp(θ h_t · h_i) / Σ_i exp(θ h_t · h_i)

over the last `window` tokens (Grave, Joulin and Usunier 2017). Nothing is trained.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..config import require
from ..lm import Ids, LanguageModel, Nats
from ..models.cells import Array
from ..models.recurrent import RecurrentState, recurrent

WINDOW, THETA, WEIGHT = 2000, 0.3, 0.1
TOKENS_AT_ONCE = 256  # tokens looked up at a time


class NeuralCacheLM:
    """A recurrent network with a cache of recent hidden states; obeys `lm.LearningLM`."""

    order = 0
    pseudo = False
    learns = True

    def __init__(
        self, lm: LanguageModel, window: int = WINDOW, theta: float = THETA, weight: float = WEIGHT
    ) -> None:
        """theta: sharpness of the cache distribution; weight: λ.

        Raises CharlmError for models other than recurrent ones.
        """
        self.lm = recurrent(lm, "`adapt`")
        require(0 < weight < 1, f"the cache's weight must be between 0 and 1, not {weight}")
        self.window, self.theta, self.weight = window, theta, weight
        self.vocab_size, self.eos = lm.vocab_size, lm.eos
        self.keys_WH = np.zeros((0, self.lm.config.hidden), np.float32)
        self.words_W: Ids = np.zeros(0, np.int64)

    def start(self, batch: int) -> RecurrentState:
        """The state just after <EOS>, of one text."""
        require(batch == 1, "texts must be read one at a time")
        return self.lm.start(1)

    def read(self, state: RecurrentState, ids_BT: Ids) -> tuple[Nats, RecurrentState]:
        """Log-probability of T further tokens, (1, T) nats; the tokens are then cached."""
        result: list[Nats] = []
        for t in range(0, ids_BT.shape[1], TOKENS_AT_ONCE):
            part = np.asarray(ids_BT[0, t : t + TOKENS_AT_ONCE], np.int64)
            top_TH, nats, state = self.lm.read_hidden(state, part)
            result.append(self._mixed(top_TH, part, nats))
        return np.concatenate(result or [np.zeros(0)])[None], state

    def logprobs(self, seqs: Sequence[Ids]) -> list[Nats]:
        """The same for whole sequences in order, each from the beginning of a sentence."""
        return [self.read(self.start(1), np.asarray(seq)[None])[0][0] for seq in seqs]

    def _mixed(self, top_TH: Array, ids_T: Ids, nats_T: Nats) -> Nats:
        keys, words = np.concatenate([self.keys_WH, top_TH]), np.append(self.words_W, ids_T)
        W, T = len(self.words_W), len(ids_T)
        position = np.arange(W + T)
        now = W + np.arange(T)[:, None]
        visible = (position < now) & (position >= now - self.window)  # (T, W + T)
        similarity = np.where(visible, self.theta * (top_TH @ keys.T), -np.inf)
        top = similarity.max(axis=1, keepdims=True, initial=-1e30)
        weight = np.exp(similarity - top, dtype=np.float64)
        total = weight.sum(axis=1)
        same = (weight * (words == ids_T[:, None])).sum(axis=1)
        self.keys_WH, self.words_W = keys[-self.window :], words[-self.window :]
        plain = np.exp(nats_T.astype(np.float64))
        cached = np.divide(same, total, out=plain.copy(), where=total > 0)
        return np.asarray(np.log((1 - self.weight) * plain + self.weight * cached))
