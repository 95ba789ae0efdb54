"""A word model with other words in its vocabulary than those that it was trained with.

    P(w | c) = P(<UNK> | c) · P(spelling of w)            for words w that it does not know

and <UNK> has what is left, P(<UNK> | c) · (1 − Σ_w P(spelling of w)), and the probabilities of the
words that are left out.

So models of different vocabularies can be mixed, each with the words of all, or with those of a
list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np

from ..errors import require
from ..lm import (
    BackoffLM,
    Change,
    Ids,
    LanguageModel,
    M,
    Nats,
    SequentialLM,
    State,
    causal,
    is_backoff,
)
from ..system.checked import checked
from ..system.tensor_file import Tensors
from .causal import CausalModel
from .family import Config, Family, Inner, build_inner, describe, short
from .file_contents import PartRecord
from .logspace import logsumexp
from .padding import rows_that_fit

ROUNDING = 1e-5  # of the sum of a token's shares


class OtherWordsLM(CausalModel[State]):
    """A model seen through another vocabulary; obeys `lm.CausalLM`, and `lm.BackoffLM` if it does.

    Its states are those of the model.
    """

    def __init__(self, lm: LanguageModel, eos: int, unk: int, ids_V: Ids, share_V: Nats) -> None:
        """ids_V: for each token the model's own; share_V: log of its share in that, nats.

        unk: the id of <UNK>, which also has the probabilities of those of the model's tokens that
        are not in `ids_V`; the shares of each other one sum to 1. Raises CharlmError otherwise.
        """
        self.lm, self.eos, self.unk, self.vocab_size = causal(lm), eos, unk, len(ids_V)
        self.order = lm.order
        self.ids_V, self.share_V = np.asarray(ids_V, np.int64), np.asarray(share_V, np.float64)
        require(
            self.ids_V.ndim == 1
            and self.ids_V.shape == self.share_V.shape
            and 0 <= eos < len(self.ids_V)
            and 0 <= unk < len(self.ids_V)
            and eos != unk
            and bool(((self.ids_V >= 0) & (self.ids_V < lm.vocab_size)).all())
            and not np.isnan(self.share_V).any()
            and int(self.ids_V[eos]) == lm.eos,
            "the vocabulary does not fit the model: the model file is damaged",
        )
        uses_V = np.bincount(self.ids_V, minlength=lm.vocab_size)
        self.left_out = np.flatnonzero(uses_V == 0)
        with np.errstate(over="ignore"):
            sums = np.bincount(self.ids_V, np.exp(self.share_V), lm.vocab_size)
        require(
            bool((abs(sums[uses_V > 0] - 1) < ROUNDING).all()),
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
        return self.shared_out(self.lm.predict(state))

    def advance(self, state: State, ids_B: Ids) -> State:
        """The state after one more token in every row. `state` itself is unchanged."""
        return self.lm.advance(state, self.ids_V[ids_B])

    def read(self, state: State, ids_BT: Ids) -> tuple[Nats, State]:
        """Log-probability of each of T further tokens, (B, T) nats, and the state after them."""
        return self.read_by(self.lm, state, ids_BT)

    def read_all(self, state: State, ids_BT: Ids) -> tuple[Nats, State]:
        """`read`, with the log-probability of every token in each place: (B, T, V) nats."""
        return self.read_all_by(self.lm, state, ids_BT)

    def read_by(self, lm: SequentialLM[M], state: M, ids_BT: Ids) -> tuple[Nats, M]:
        """`read` with another model in place of this one's, such as one that learns."""
        if not self._needs_all(ids_BT):
            nats_BT, state = lm.read(state, self.ids_V[ids_BT])
            return nats_BT + self.share_V[ids_BT], state
        B, T = ids_BT.shape
        nats_BT = np.empty((B, T))
        chunk = max(1, rows_that_fit(max(self.vocab_size, lm.vocab_size)) // max(B, 1))
        for t in range(0, T, chunk):
            ids = np.asarray(ids_BT[:, t : t + chunk], np.int64)
            nats_BTV, state = self.read_all_by(lm, state, ids)
            nats_BT[:, t : t + chunk] = np.take_along_axis(nats_BTV, ids[..., None], 2)[..., 0]
        return nats_BT, state

    def read_all_by(self, lm: SequentialLM[M], state: M, ids_BT: Ids) -> tuple[Nats, M]:
        """`read_all` with another model in place of this one's."""
        nats_BTV, after = lm.read_all(state, self.ids_V[ids_BT])
        return self.shared_out(nats_BTV), after

    def shared_out(self, nats: Nats) -> Nats:
        """(…, V) log-probabilities of all tokens, from those of the model's own."""
        found = nats[..., self.ids_V]
        found += self.share_V.astype(found.dtype)
        if len(self.left_out):
            rest = logsumexp(nats[..., self.left_out])
            found[..., self.unk] = np.logaddexp(found[..., self.unk], rest)
        return found

    def _needs_all(self, ids: Ids) -> bool:
        """Whether tokens have probabilities that those of the model's own for them do not give."""
        return len(self.left_out) > 0 and bool((np.asarray(ids) == self.unk).any())

    def logprobs(self, seqs: Sequence[Ids]) -> list[Nats]:
        """Give log P(each token | those before it in its sequence), (len(seq),) nats each."""
        if any(map(self._needs_all, seqs)):
            return super().logprobs(seqs)
        found = self.lm.logprobs([self.ids_V[seq] for seq in seqs])
        return [nats + self.share_V[seq] for nats, seq in zip(found, seqs, strict=True)]

    def transformed(self, change: Change) -> LanguageModel:
        """The same model after `change`, which is first applied to the model inside."""
        return change(
            OtherWordsLM(self.lm.transformed(change), self.eos, self.unk, self.ids_V, self.share_V)
        )

    def matched(self, state: State) -> Ids:
        """Length of the longest known context at the end of B texts, (B,): 0 … N − 1."""
        return self._backoff().matched(state)

    def matched_before(self, state: State, ids_BT: Ids) -> Ids:
        """`matched` before each of T further tokens, (B, T)."""
        return self._backoff().matched_before(state, self.ids_V[ids_BT])

    def read_matched(self, state: State, ids_BT: Ids) -> tuple[Nats, Ids, State]:
        """`read`, with what `matched_before` gives in the middle."""
        if self._needs_all(ids_BT):
            nats_BT, after = self.read(state, ids_BT)
            return nats_BT, self.matched_before(state, ids_BT), after
        nats_BT, matched_BT, after = self._backoff().read_matched(state, self.ids_V[ids_BT])
        return nats_BT + self.share_V[ids_BT], matched_BT, after

    def logprobs_matched(self, seqs: Sequence[Ids]) -> tuple[list[Nats], list[Ids]]:
        """`logprobs`, and the length of the longest known context before each token."""
        found, matched = self._backoff().logprobs_matched([self.ids_V[seq] for seq in seqs])
        if any(map(self._needs_all, seqs)):
            return self.logprobs(seqs), matched
        return [n + self.share_V[seq] for n, seq in zip(found, seqs, strict=True)], matched

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


class OtherWordsConfig(TypedDict):
    """The settings of a model file; the tensors of the part are named "0." and their own names."""

    part: PartRecord
    unk: int


def _inner_models(config: Config) -> list[Inner]:
    part = checked(config, OtherWordsConfig, "config")["part"]
    return [Inner(part["family"], part["config"], "0.")]


def _build(config: Config, tensors: Tensors, eos: int) -> LanguageModel:
    (inner,) = _inner_models(config)
    ids_V = tensors["ids"]
    require(
        ids_V.dtype == np.int64 and ids_V.ndim == 1 and 0 <= eos < len(ids_V),
        "the vocabulary does not fit the model: the model file is damaged",
    )
    lm = build_inner(inner, tensors, int(ids_V[eos]))
    return OtherWordsLM(lm, eos, config["unk"], ids_V, tensors["share"])


def _describe(config: Config) -> str:
    (inner,) = _inner_models(config)
    return f"{describe(inner.family, inner.config)}, with another vocabulary"


def _short(config: Config) -> str:
    (inner,) = _inner_models(config)
    return short(inner.family, inner.config)


def file_config(lm: OtherWordsLM, family: str, config: Config) -> dict[str, Any]:
    """The configuration in a model file of `lm`; the others are those of the model inside."""
    return {"part": {"family": family, "config": config}, "unk": lm.unk}


FAMILY = Family("other-words", _build, _describe, _short, _inner_models)
