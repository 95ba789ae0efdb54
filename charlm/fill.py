"""Filling blanks in a text: from both sides, or by the completed sentences' probability.

A bidirectional network gives P(token | all others) at once; where there are several blanks they
depend on each other, and whole sentences are searched for. A model that reads left to right finds
the most probable completed sentences by beam search, in which the blanks are free and every other
token is given.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .bidirectional import BidirectionalLM
from .config import require
from .errors import CharlmError
from .lm import CausalLM, Ids, Nats
from .logspace import log_softmax
from .tokenizer import Tokenizer

BLANK = -1  # in place of a token's id
BEAM = 64  # sentences held at once
TRIED = 12  # tokens tried in a blank when sentences are refined
SWEEPS = 4  # over all blanks, at most


@dataclass(frozen=True)
class Filled:
    """A text with its blanks filled."""

    text: str
    tokens: tuple[str, ...]  # what stands in the blanks
    logprob: float  # nats; pseudo-log-probability where both sides were read
    probability: float  # among the sentences found

    def as_dict(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "tokens": list(self.tokens),
            "logprob": self.logprob,
            "probability": self.probability,
        }


def parse(tokenizer: Tokenizer, template: str) -> Ids:
    """The ids of a text, BLANK for each `_` (characters) or each run of them (words), and <EOS>.

    Raises CharlmError for a text without a blank, with a line break, or at other levels.
    """
    require(tokenizer.level in ("char", "word"), "only character and word models fill blanks")
    if "_" not in template:
        raise CharlmError("there is no blank to fill: write _ where something is missing")
    if "\n" in template:
        raise CharlmError("fill one line at a time")
    found: list[int] = []
    for part in re.split("(_+)", template):
        if part.startswith("_"):
            found += [BLANK] * (len(part) if tokenizer.level == "char" else 1)
        else:
            found += tokenizer.encode(part).tolist()
    return np.array([*found, tokenizer.eos], np.int64)


def fill(
    lm: BidirectionalLM | CausalLM, tokenizer: Tokenizer, template: str, *, top_k: int = 5
) -> list[Filled]:
    """The best ways to fill the blanks of `template`, best first.

    Raises CharlmError as `parse` does, and for top_k below 1.
    """
    require(top_k >= 1, f"top-k must be at least 1, not {top_k}")
    ids = parse(tokenizer, template)
    barred = [k for k in (tokenizer.eos, tokenizer.unk) if k is not None]
    if isinstance(lm, BidirectionalLM):
        found = _from_both_sides(lm, ids, barred, tokenizer.unk, max(BEAM, top_k))
    else:
        found = _left_to_right(lm, ids, barred, max(BEAM, top_k))
    shares = np.exp(log_softmax(np.array([nats for _, nats in found])))
    blanks = np.flatnonzero(ids == BLANK)
    return [
        Filled(
            tokenizer.decode(own[:-1]),
            tuple(tokenizer.token(int(own[place])) for place in blanks),
            nats,
            float(share),
        )
        for (own, nats), share in zip(found[:top_k], shares, strict=False)
    ]


def _barred(nats: Nats, barred: Sequence[int]) -> Nats:
    nats = np.array(nats, np.float64)
    nats[..., list(barred)] = -np.inf
    return nats


def _from_both_sides(
    lm: BidirectionalLM, ids: Ids, barred: Sequence[int], unk: int | None, beam: int
) -> list[tuple[Ids, float]]:
    """Sentences and Σ log P(token in a blank | all others), best first."""
    blanks = np.flatnonzero(ids == BLANK).tolist()
    begun = np.where(ids == BLANK, lm.eos if unk is None else unk, ids)  # not known yet
    if len(blanks) == 1:
        nats = log_softmax(_barred(lm.predict_at([begun], blanks[0])[0], barred))
        best = np.argsort(-nats, kind="stable")[:beam]
        return [(_with(begun, blanks[0], int(k)), float(nats[k])) for k in best if nats[k] > -1e9]
    sentences, sums = [begun], np.zeros(1)
    for place in blanks:  # from the left, what is still blank being unknown
        nats = _barred(lm.predict_at(sentences, place), barred) + sums[:, None]
        flat = np.argsort(-nats.ravel(), kind="stable")[:beam]
        rows, tokens = np.divmod(flat, lm.vocab_size)
        pairs = zip(rows, tokens, strict=True)
        sentences = [_with(sentences[row], place, int(token)) for row, token in pairs]
        sums = nats.ravel()[flat]
    pool = _scored(lm, sentences, blanks, barred)
    for _ in range(SWEEPS):  # then again, each blank under what now stands in the others
        before = {own.tobytes() for own, _ in pool}
        trials = [own for own, _ in pool]
        for place in blanks:
            nats = _barred(lm.predict_at([own for own, _ in pool], place), barred)
            tried = np.argsort(-nats, axis=1, kind="stable")[:, :TRIED]
            for (own, _), tokens in zip(pool, tried, strict=True):
                trials += [_with(own, place, int(token)) for token in tokens]
        unique = list({own.tobytes(): own for own in trials}.values())
        pool = _scored(lm, unique, blanks, barred)[:beam]
        if {own.tobytes() for own, _ in pool} == before:
            break
    return pool


def _scored(
    lm: BidirectionalLM, sentences: Sequence[Ids], blanks: Sequence[int], barred: Sequence[int]
) -> list[tuple[Ids, float]]:
    nats = lm.logprobs(sentences)
    sums = [float(own[blanks].sum(dtype=np.float64)) for own in nats]
    found = sorted(zip(sentences, sums, strict=True), key=lambda item: -item[1])
    return [(own, total) for own, total in found if not set(own[blanks].tolist()) & set(barred)]


def _with(ids: Ids, place: int, token: int) -> Ids:
    changed = ids.copy()
    changed[place] = token
    return changed


def _left_to_right(
    lm: CausalLM, ids: Ids, barred: Sequence[int], beam: int
) -> list[tuple[Ids, float]]:
    """Sentences and log P of each as a whole, best first. Exact for a single blank."""
    single = int((ids == BLANK).sum()) == 1
    width = lm.vocab_size if single else beam
    state, sentences, totals = lm.start(1), np.zeros((1, 0), np.int64), np.zeros(1)
    for token in ids.tolist():
        nats = lm.predict(state).astype(np.float64)
        if token == BLANK:
            every = _barred(nats, barred) + totals[:, None]
            flat = np.argsort(-every.ravel(), kind="stable")[:width]
            flat = flat[np.isfinite(every.ravel()[flat])]
            rows, tokens = np.divmod(flat, lm.vocab_size)
            totals = every.ravel()[flat]
            state, sentences = state.take(rows), sentences[rows]
        else:
            tokens = np.full(len(totals), token)
            totals = totals + nats[:, token]
        state = lm.advance(state, tokens)
        sentences = np.concatenate([sentences, tokens[:, None]], axis=1)
    order = np.argsort(-totals, kind="stable")[: max(beam, 1)]
    return [(sentences[k], float(totals[k])) for k in order]
