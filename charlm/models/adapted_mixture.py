"""A mixture whose networks learn from what they have just read; n-grams and weights stay as is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from ..errors import CharlmError
from ..lm import Ids, LanguageModel, LearningLM, Nats
from .combined import CombinedLM
from .other_words import OtherWordsLM
from .recurrent import RecurrentLM, recurrent
from .unigram_cache import UnigramCacheLM

Adapt: TypeAlias = Callable[[LanguageModel], LearningLM[Any]]


def adapt_networks(lm: LanguageModel, adapt: Adapt) -> LearningLM[Any]:
    """`adapt` of a recurrent network, or of those in a mixture.

    Raises CharlmError for a model without one, and for one with a cache over it.
    """
    if isinstance(lm, UnigramCacheLM):
        raise CharlmError("`adapt` is for models without `cache`, and this model has one")
    if isinstance(lm, CombinedLM) and _has_network(lm):
        return AdaptedMixtureLM(lm, adapt)
    if isinstance(lm, OtherWordsLM) and _has_network(lm):
        return AdaptedOtherWordsLM(lm, adapt)
    return adapt(recurrent(lm, "`adapt`"))


def _has_network(lm: LanguageModel) -> bool:
    parts = lm.parts if isinstance(lm, CombinedLM) else ()
    under = [lm.lm] if isinstance(lm, UnigramCacheLM | OtherWordsLM) else []
    return isinstance(lm, RecurrentLM) or any(map(_has_network, [*parts, *under]))


class AdaptedMixtureLM:
    """A mixture with networks that learn as they read; obeys `lm.LearningLM`."""

    order = 0
    pseudo = False
    learns = True

    def __init__(self, mixture: CombinedLM, adapt: Adapt) -> None:
        self.mixture = mixture
        self.vocab_size, self.eos = mixture.vocab_size, mixture.eos
        self.parts = [adapt_networks(p, adapt) if _has_network(p) else p for p in mixture.parts]

    def start(self, batch: int) -> tuple[Any, ...]:
        """The states of the parts just after <EOS>, of one text."""
        return tuple(part.start(batch) for part in self.parts)

    def read(self, state: tuple[Any, ...], ids_BT: Ids) -> tuple[Nats, tuple[Any, ...]]:
        """Log-probability of T further tokens, (1, T) nats; the networks learn from them."""
        return self.mixture.read_by(self.parts, state, ids_BT)

    def read_all(self, state: tuple[Any, ...], ids_BT: Ids) -> tuple[Nats, tuple[Any, ...]]:
        """`read`, with the log-probability of every token in each place: (1, T, V) nats."""
        return self.mixture.read_all_by(self.parts, state, ids_BT)

    def logprobs(self, seqs: Sequence[Ids]) -> list[Nats]:
        """The same for whole sequences in order, each from the beginning of a sentence."""
        return [self.read(self.start(1), np.asarray(seq)[None])[0][0] for seq in seqs]


class AdaptedOtherWordsLM:
    """A network with other words that learns as it reads; obeys `lm.LearningLM`."""

    order = 0
    pseudo = False
    learns = True

    def __init__(self, outer: OtherWordsLM, adapt: Adapt) -> None:
        self.outer, self.lm = outer, adapt_networks(outer.lm, adapt)
        self.vocab_size, self.eos = outer.vocab_size, outer.eos

    def start(self, batch: int) -> Any:
        """The state just after <EOS>, of one text."""
        return self.lm.start(batch)

    def read(self, state: Any, ids_BT: Ids) -> tuple[Nats, Any]:
        """Log-probability of T further tokens, (1, T) nats; the network learns from them."""
        return self.outer.read_by(self.lm, state, ids_BT)

    def read_all(self, state: Any, ids_BT: Ids) -> tuple[Nats, Any]:
        """`read`, with the log-probability of every token in each place: (1, T, V) nats."""
        return self.outer.read_all_by(self.lm, state, ids_BT)

    def logprobs(self, seqs: Sequence[Ids]) -> list[Nats]:
        """Give log P(each token | those before it in its sequence), each learned from afresh."""
        return [self.read(self.start(1), np.asarray(seq)[None])[0][0] for seq in seqs]
