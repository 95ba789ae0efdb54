"""The neural cache: words that followed similar hidden states become more probable.

    P(w | c) = (1 − λ) P_network(w | c) + λ P_cache(w | c)
    P_cache(w | c) = Σ_{i: x_{i+1} = w} exp(θ h_t · h_i) / Σ_i exp(θ h_t · h_i)

over the last `window` tokens (Grave, Joulin and Usunier 2017). Nothing is trained.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..errors import require
from ..lm import Ids, LanguageModel, Nats
from ..models.arithmetic import Array
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
        found: list[Nats] = [np.zeros(0)]
        for ids_T in _parts(ids_BT):
            top_TH, nats_T, state = self.lm.read_hidden(state, ids_T)
            weight_TN, words_N = self._similar(top_TH, ids_T)
            cached_T = (weight_TN * (words_N == ids_T[:, None])).sum(axis=1)
            found.append(self._mixed(nats_T, cached_T, weight_TN))
        return np.concatenate(found)[None], state

    def read_all(self, state: RecurrentState, ids_BT: Ids) -> tuple[Nats, RecurrentState]:
        """`read`, with the log-probability of every token in each place: (1, T, V) nats."""
        found: list[Nats] = [np.zeros((0, self.vocab_size))]
        for ids_T in _parts(ids_BT):
            top_TH, _, state = self.lm.read_hidden(state, ids_T)
            weight_TN, words_N = self._similar(top_TH, ids_T)
            cached_VT = np.zeros((self.vocab_size, len(ids_T)))
            np.add.at(cached_VT, words_N, weight_TN.T)
            found.append(self._mixed(self.lm.head.predict(top_TH), cached_VT.T, weight_TN))
        return np.concatenate(found)[None], state

    def logprobs(self, seqs: Sequence[Ids]) -> list[Nats]:
        """The same for whole sequences in order, each from the beginning of a sentence."""
        return [self.read(self.start(1), np.asarray(seq)[None])[0][0] for seq in seqs]

    def _similar(self, top_TH: Array, ids_T: Ids) -> tuple[Nats, Ids]:
        """Weights of the cached tokens and of `ids` in each of T places, and all these tokens.

        (T, W + T), summing to 1, or to 0 where nothing is cached yet. Then `ids` are cached.
        """
        keys, words = np.concatenate([self.keys_WH, top_TH]), np.append(self.words_W, ids_T)
        W, T = len(self.words_W), len(ids_T)
        position = np.arange(W + T)
        now = W + np.arange(T)[:, None]
        visible = (position < now) & (position >= now - self.window)  # (T, W + T)
        similarity = np.where(visible, self.theta * (top_TH @ keys.T), -np.inf)
        top = similarity.max(axis=1, keepdims=True, initial=-1e30)
        weight = np.exp(similarity - top, dtype=np.float64)
        self.keys_WH, self.words_W = keys[-self.window :], words[-self.window :]
        return weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-300), words

    def _mixed(self, nats: Nats, cached: Nats, weight_TN: Nats) -> Nats:
        """Log-probabilities from the network's and the cache's probabilities, of T places."""
        plain = np.exp(nats.astype(np.float64))
        shape = (-1,) + (1,) * (plain.ndim - 1)
        share = np.where(weight_TN.any(axis=1), self.weight, 0.0).reshape(shape)
        return np.asarray(np.log((1 - share) * plain + share * cached))


def _parts(ids_1T: Ids) -> Iterator[Ids]:
    """One text, TOKENS_AT_ONCE at a time."""
    ids_T = np.asarray(ids_1T[0], np.int64)
    for t in range(0, len(ids_T), TOKENS_AT_ONCE):
        yield ids_T[t : t + TOKENS_AT_ONCE]
