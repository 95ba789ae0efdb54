"""A word model with a larger vocabulary: it spells the words that it does not know.

    P(w | c) = P(<UNK> | c) · P(spelling of w)            for words w that it does not know

and the <UNK> of the larger vocabulary has what is left, P(<UNK> | c) · (1 − Σ_w P(spelling of w)).

So models of different vocabularies can be mixed: each is widened to the words of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np

from ..config import require
from ..lm import BackoffLM, Change, Ids, LanguageModel, Nats, State, causal, is_backoff
from ..system.checked import checked
from ..system.tensor_file import Tensors
from .causal import CausalModel
from .family import Config, Family, Inner, build_inner, describe, short
from .file_contents import PartRecord

ROUNDING = 1e-5  # of the sum of a token's shares


class WidenedLM(CausalModel[State]):
    """A model seen through a larger vocabulary; obeys `lm.CausalLM`, and `lm.BackoffLM` if it does.

    Its states are those of the model.
    """

    def __init__(self, lm: LanguageModel, eos: int, ids_V: Ids, share_V: Nats) -> None:
        """ids_V: for each token the model's own; share_V: log of its share in that, nats.

        The shares of each of the model's tokens sum to 1. Raises CharlmError otherwise.
        """
        self.lm, self.eos, self.vocab_size = causal(lm), eos, len(ids_V)
        self.order = lm.order
        self.ids_V, self.share_V = np.asarray(ids_V, np.int64), np.asarray(share_V, np.float64)
        require(
            self.ids_V.ndim == 1
            and self.ids_V.shape == self.share_V.shape
            and 0 <= eos < len(self.ids_V)
            and bool(((self.ids_V >= 0) & (self.ids_V < lm.vocab_size)).all())
            and not np.isnan(self.share_V).any()
            and int(self.ids_V[eos]) == lm.eos,
            "the larger vocabulary does not fit the model: the model file is damaged",
        )
        with np.errstate(over="ignore"):
            sums = np.bincount(self.ids_V, np.exp(self.share_V), lm.vocab_size)
        require(
            bool((abs(sums - 1) < ROUNDING).all()),
            "the shares of a token do not sum to 1: the model file is damaged",
        )

    def start(self, batch: int) -> State:
        """The state of `batch` texts just after <EOS>: at the beginning of a sentence."""
        return self.lm.start(batch)

    def empty(self, batch: int) -> State:
        """The state of `batch` texts before any token."""
        return self.lm.empty(batch)

    def predict(self, state: State) -> Nats:
        """(B, V) log-probabilities of the next token, nats."""
        return self.widen(self.lm.predict(state))

    def advance(self, state: State, ids_B: Ids) -> State:
        """The state after one more token in every row. `state` itself is unchanged."""
        return self.lm.advance(state, self.ids_V[ids_B])

    def read(self, state: State, ids_BT: Ids) -> tuple[Nats, State]:
        """Log-probability of each of T further tokens, (B, T) nats, and the state after them."""
        nats_BT, after = self.lm.read(state, self.ids_V[ids_BT])
        return nats_BT + self.share_V[ids_BT], after

    def read_all(self, state: State, ids_BT: Ids) -> tuple[Nats, State]:
        """`read`, with the log-probability of every token in each place: (B, T, V) nats."""
        nats_BTV, after = self.lm.read_all(state, self.ids_V[ids_BT])
        return self.widen(nats_BTV), after

    def widen(self, nats: Nats) -> Nats:
        """(…, V) log-probabilities of all tokens, from those of the model's own."""
        wide = nats[..., self.ids_V]
        wide += self.share_V.astype(wide.dtype)
        return wide

    def logprobs(self, seqs: Sequence[Ids]) -> list[Nats]:
        """Give log P(each token | those before it in its sequence), (len(seq),) nats each."""
        found = self.lm.logprobs([self.ids_V[seq] for seq in seqs])
        return [nats + self.share_V[seq] for nats, seq in zip(found, seqs, strict=True)]

    def transformed(self, change: Change) -> LanguageModel:
        """The same model after `change`, which is first applied to the model inside."""
        return change(WidenedLM(self.lm.transformed(change), self.eos, self.ids_V, self.share_V))

    def matched(self, state: State) -> Ids:
        """Length of the longest known context at the end of B texts, (B,): 0 … N − 1."""
        return self._backoff().matched(state)

    def matched_before(self, state: State, ids_BT: Ids) -> Ids:
        """`matched` before each of T further tokens, (B, T)."""
        return self._backoff().matched_before(state, self.ids_V[ids_BT])

    def read_matched(self, state: State, ids_BT: Ids) -> tuple[Nats, Ids, State]:
        """`read`, with what `matched_before` gives in the middle."""
        nats_BT, matched_BT, after = self._backoff().read_matched(state, self.ids_V[ids_BT])
        return nats_BT + self.share_V[ids_BT], matched_BT, after

    def logprobs_matched(self, seqs: Sequence[Ids]) -> tuple[list[Nats], list[Ids]]:
        """`logprobs`, and the length of the longest known context before each token."""
        found, matched = self._backoff().logprobs_matched([self.ids_V[seq] for seq in seqs])
        wide: list[Nats] = [n + self.share_V[seq] for n, seq in zip(found, seqs, strict=True)]
        return wide, matched

    def used_length(self, state: State, ids_B: Ids) -> Ids:
        """The length of the n-gram that gives each row's next token its probability, (B,)."""
        return self._backoff().used_length(state, self.ids_V[ids_B])

    def _backoff(self) -> BackoffLM[State]:
        assert is_backoff(self.lm), "only n-gram models know contexts"
        return self.lm

    def tensors(self) -> Tensors:
        """What a model file holds besides the model's own tensors."""
        return {"ids": self.ids_V, "share": self.share_V.astype(np.float32)}


# In a model file ------------------------------------------------------------------------------


class WidenedConfig(TypedDict):
    """The settings of a model file; the tensors of the part are named "0." and their own names."""

    part: PartRecord


def _inner_models(config: Config) -> list[Inner]:
    part = checked(config, WidenedConfig, "config")["part"]
    return [Inner(part["family"], part["config"], "0.")]


def _build(config: Config, tensors: Tensors, eos: int) -> LanguageModel:
    (inner,) = _inner_models(config)
    ids_V = tensors["ids"]
    require(
        ids_V.dtype == np.int64 and ids_V.ndim == 1 and 0 <= eos < len(ids_V),
        "the larger vocabulary does not fit the model: the model file is damaged",
    )
    lm = build_inner(inner, tensors, int(ids_V[eos]))
    return WidenedLM(lm, eos, ids_V, tensors["share"])


def _describe(config: Config) -> str:
    (inner,) = _inner_models(config)
    return f"{describe(inner.family, inner.config)}, with a larger vocabulary"


def _short(config: Config) -> str:
    (inner,) = _inner_models(config)
    return short(inner.family, inner.config)


def file_config(family: str, config: Config) -> dict[str, Any]:
    """The configuration of a widened model of that family and configuration."""
    return {"part": {"family": family, "config": config}}


FAMILY = Family("widened", _build, _describe, _short, _inner_models)
