"""Linear interpolation of language models, its weights fitted by EM on held-out text.

    P(w | c) = Σ_k λ_k(c) P_k(w | c)        λ_k(c) ≥ 0,  Σ_k λ_k(c) = 1
    (Jelinek and Mercer 1980)

If a part is an n-gram model, λ depends on the length of the longest context that it knows: one row
of weights for each length. Otherwise there is one row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from ..errors import CharlmError
from ..lm import (
    BackoffLM,
    CausalLM,
    Change,
    Ids,
    LanguageModel,
    Nats,
    S,
    SequentialLM,
    State,
    is_backoff,
)
from ..system.tensor_file import Tensors
from .combined import (
    CombinedLM,
    CombinedState,
    build_parts,
    described_parts,
    inner_models,
    short_parts,
)
from .family import Config, Family
from .logspace import logsumexp
from .segments import Segments

L = TypeVar("L", bound=CombinedLM)
Weights: TypeAlias = npt.NDArray[np.float64]  # (contexts, parts), each row a distribution
MAX_EM_ROUNDS = 200  # of EM
MIN_EM_GAIN = 1e-7  # nats per token; EM stops when a round gains less
PRIOR_TOKENS = 10.0  # weight of the shared weights as a prior on each context's, in tokens


class MixtureLM(CombinedLM):
    """A mixture of models; obeys `lm.CausalLM`. Log-probabilities are nats."""

    def __init__(self, parts: Sequence[LanguageModel], weights: Weights) -> None:
        """`weights` (contexts, parts): one row, or one per context length of the n-gram part.

        Raises CharlmError if parts and weights do not match.
        """
        super().__init__(parts)
        self.guide = guide(parts)
        self.weights = np.asarray(weights, np.float64)
        if self.weights.ndim != 2 or self.weights.shape[1] != len(parts):
            raise CharlmError("a mixture needs one weight per model")
        if not (self.weights >= 0).all() or not np.allclose(self.weights.sum(axis=1), 1):
            raise CharlmError("a mixture's weights must be at least 0 and sum to 1")
        if self.weights.shape[0] not in (1, num_contexts(parts)):
            raise CharlmError("the mixture's weights do not fit its n-gram model")
        with np.errstate(divide="ignore"):
            self.logs = np.log(self.weights)

    def predict(self, state: CombinedState) -> Nats:
        """(B, V) log-probabilities of the next token, nats."""
        logs_BK = self.logs[self._context(state)]
        mixed: Nats | None = None
        for k, (part, part_state) in enumerate(zip(self.parts, state.parts, strict=True)):
            nats = part.predict(part_state) + logs_BK[:, k, None]
            mixed = nats if mixed is None else np.logaddexp(mixed, nats)
        assert mixed is not None
        return mixed

    def read_by(
        self, parts: Sequence[SequentialLM[Any]], states: Sequence[Any], ids_BT: Ids
    ) -> tuple[Nats, tuple[Any, ...]]:
        """`read` with other models in place of the parts, such as ones that learn."""
        contexts_BT: Ids = np.zeros(ids_BT.shape, np.intp)
        results = []
        for k, (part, state) in enumerate(zip(parts, states, strict=True)):
            if k == self.guide and len(self.logs) > 1:
                nats, contexts_BT, after = _backoff(part).read_matched(state, ids_BT)
                results.append((nats, after))
            else:
                results.append(part.read(state, ids_BT))
        nats_KBT = np.stack([nats for nats, _ in results]).astype(np.float64)
        mixed = interpolate(nats_KBT, self.logs, contexts_BT)
        return mixed, tuple(after for _, after in results)

    def read_all_by(
        self, parts: Sequence[SequentialLM[Any]], states: Sequence[Any], ids_BT: Ids
    ) -> tuple[Nats, tuple[Any, ...]]:
        """`read_all` with other models in place of the parts."""
        logs_BTK, after = self.logs[self._contexts(states, ids_BT)], []
        mixed = np.full((*ids_BT.shape, self.vocab_size), -np.inf, np.float32)
        for k, (part, state) in enumerate(zip(parts, states, strict=True)):
            nats_BTV, part_after = part.read_all(state, ids_BT)
            np.logaddexp(mixed, nats_BTV + logs_BTK[..., k, None], out=mixed, casting="same_kind")
            after.append(part_after)
        return mixed, tuple(after)

    def logprobs(self, seqs: Sequence[Ids]) -> list[Nats]:
        """Give log P(each token | those before it in its sequence), (len(seq),) nats each."""
        if not seqs:
            return []
        by_part: list[Nats] = []
        contexts_N: Ids = np.zeros(sum(map(len, seqs)), np.intp)
        for k, part in enumerate(self.parts):
            if k == self.guide and len(self.logs) > 1:
                nats, contexts = _backoff(part).logprobs_matched(seqs)
                contexts_N = np.concatenate(contexts)
            else:
                nats = part.logprobs(seqs)
            by_part.append(np.concatenate(nats))
        mixed_N = interpolate(np.stack(by_part).astype(np.float64), self.logs, contexts_N)
        ends = np.cumsum([len(seq) for seq in seqs]).tolist()
        return [mixed_N[end - len(seq) : end] for seq, end in zip(seqs, ends, strict=True)]

    def transformed(self, change: Change) -> LanguageModel:
        """The same model after `change`, which is first applied to each part."""
        return change(MixtureLM([part.transformed(change) for part in self.parts], self.weights))

    # Private ----------------------------------------------------------------------------------

    def _contexts(self, states: Sequence[Any], ids_BT: Ids) -> Ids:
        """Which row of weights applies before each of T further tokens, (B, T)."""
        if len(self.logs) == 1 or self.guide is None:
            return np.zeros(ids_BT.shape, np.intp)
        return _backoff(self.parts[self.guide]).matched_before(states[self.guide], ids_BT)

    def _context(self, state: CombinedState) -> Ids:
        """Which row of weights applies to each of B texts, (B,), or (1,) if there is only one."""
        if len(self.logs) == 1 or self.guide is None:
            return np.zeros(1, np.intp)
        return _backoff(self.parts[self.guide]).matched(state.parts[self.guide])


def guide(parts: Sequence[LanguageModel]) -> int | None:
    """Index of the part whose contexts select the weights: the longest n-gram model, if any."""
    orders = [part.order for part in parts]
    return int(np.argmax(orders)) if max(orders) > 1 else None


def num_contexts(parts: Sequence[LanguageModel]) -> int:
    """How many rows of weights a mixture of `parts` may have."""
    index = guide(parts)
    return 1 if index is None else parts[index].order


def _backoff(lm: LanguageModel) -> BackoffLM[State]:
    assert is_backoff(lm), "the guide of a mixture is an n-gram model"
    return lm


def interpolate(nats_KN: Nats, logs_CK: Weights, contexts_N: Ids) -> Nats:
    """log Σ_k λ_k P_k from the parts' log-probabilities, (K, …) → (…), nats."""
    return logsumexp(nats_KN + np.moveaxis(logs_CK[contexts_N], -1, 0), axis=0)


def fit_weights(nats_KN: Nats, contexts_N: Ids | None = None, contexts: int = 1) -> Weights:
    """Fit the weights (contexts, K) to held-out tokens by EM (Dempster et al. 1977).

    nats_KN: log P of N tokens by each part. contexts_N: the row of weights that applies to each
    token, out of `contexts`; a row with few tokens is shrunk towards the single best weights.
    """
    K = len(nats_KN)
    shared = _em(nats_KN, np.full(K, 1 / K))
    if contexts_N is None or contexts == 1:
        return shared[None]
    rows = []
    for c in range(contexts):
        selected = nats_KN[:, contexts_N == c]
        rows.append(_em(selected, shared, PRIOR_TOKENS) if selected.size else shared)
    return np.stack(rows)


def _em(nats_KN: Nats, centre_K: Weights, prior: float = 0.0) -> Weights:
    """EM with `prior` pseudo-tokens, distributed as `centre` (MAP estimation)."""
    weights, last = centre_K.copy(), -np.inf
    top = nats_KN.max(axis=0)
    likelihood = np.exp(nats_KN - top)
    for _ in range(MAX_EM_ROUNDS):
        joint = weights[:, None] * likelihood
        total = joint.sum(axis=0)
        gained = float(np.log(total).mean())
        counts = (joint / total).sum(axis=1) + prior * centre_K
        weights = counts / counts.sum()
        if gained - last < MIN_EM_GAIN:
            break
        last = gained
    return weights


@dataclass(frozen=True)
class Fit(Generic[L]):
    """A fitted mixture, with log-probabilities on the text that its weights were fitted to."""

    lm: L
    parts: Nats  # (K, N) log P of each token by each part, nats
    mixed: Nats  # (N,) by the mixture


def mix(
    parts: Sequence[LanguageModel], held_out: Ids, eos: int, parts_KN: Nats | None = None
) -> Fit[MixtureLM]:
    """The best mixture of `parts` for a text, `held_out` (N,).

    parts_KN: log P of its tokens by each part, where that is known. Raises CharlmError for an empty
    text or different vocabularies.
    """
    if not len(held_out):
        raise CharlmError("there is no held-out text to fit the weights on")
    uniform = MixtureLM(parts, np.full((1, len(parts)), 1 / len(parts)))
    if parts_KN is None:
        parts_KN = np.stack([score_stream(part, held_out, eos) for part in uniform.parts])
    if uniform.guide is not None:
        ngram = _backoff(uniform.parts[uniform.guide])
        contexts_N = ngram.matched_before(ngram.start(1), held_out[None])[0]
        lm = MixtureLM(parts, fit_weights(parts_KN, contexts_N, ngram.order))
    else:
        contexts_N = np.zeros(len(held_out), np.intp)
        lm = MixtureLM(parts, fit_weights(parts_KN))
    return Fit(lm, parts_KN, interpolate(parts_KN, lm.logs, contexts_N))


def score_stream(lm: CausalLM[S], ids: Ids, eos: int) -> Nats:
    """log P of each token of one long text, (N,) nats, read in parallel segments."""
    text = Segments(ids, eos)
    warm_BT = text.tokens(-text.warm_up, text.length).astype(np.int64)
    nats_BT, _ = lm.read(lm.start(text.rows), warm_BT)
    counted = text.scored(0, text.length)
    return np.asarray(nats_BT[:, text.warm_up :][counted], np.float64)


# In a model file ------------------------------------------------------------------------------


def _build(config: Config, tensors: Tensors, eos: int) -> LanguageModel:
    weights = np.array(config["weights"], np.float64)
    return MixtureLM(build_parts(config, tensors, eos), weights)


def _describe(config: Config) -> str:
    return f"mixture of {described_parts(config)}"


def _short(config: Config) -> str:
    return f"mixture of {short_parts(config)}"


FAMILY = Family("mixture", _build, _describe, _short, inner_models)
