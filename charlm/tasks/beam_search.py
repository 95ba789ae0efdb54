"""Beam search for the most probable continuations (Lowerre 1976; Graves 2012).

A hypothesis of n tokens with log-probability log P is ranked by

    log P / n^α                     α: the length penalty (after Wu et al. 2016); 0: by log P alone
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..lm import CausalLM, S


@dataclass(frozen=True)
class Path:
    """Token ids and their total log-probability, nats."""

    ids: tuple[int, ...]
    nats: float
    finished: bool

    def rank(self, length_penalty: float) -> float:
        return self.nats / float(max(1, len(self.ids)) ** length_penalty)


def search(
    lm: CausalLM[S],
    state: S,
    *,
    beam: int,
    max_tokens: int,
    eos: int,
    banned: Sequence[int] = (),
    length_penalty: float = 0.0,
    num: int = 1,
    banned_first: Sequence[int] = (),
    min_tokens: int = 0,
) -> list[Path]:
    """The `num` best continuations of the one text in `state`, best first.

    A beam of one is greedy search; the greedy path is always included, so the result is never
    worse. A path ends with `eos`, which follows at least `min_tokens` others, or after `max_tokens`
    tokens; finished ones rank before truncated ones. The search ends as soon as no unfinished path
    can still be better.
    """

    def banned_at(length: int) -> list[int]:
        first = banned_first if length == 1 else ()
        return [*banned, *first, *([eos] if length <= min_tokens else [])]

    paths = _beams(lm, state, beam, max_tokens, eos, banned_at, length_penalty, num)
    if beam > 1:
        greedy = _beams(lm, state, 1, max_tokens, eos, banned_at, length_penalty, 1)
        known = {path.ids for path in paths}  # the same path may differ in the last digit
        paths += [path for path in greedy if path.ids not in known]
    paths.sort(key=lambda path: (not path.finished, -path.rank(length_penalty), path.ids))
    return paths[:num]


def _beams(
    lm: CausalLM[S],
    state: S,
    beam: int,
    max_tokens: int,
    eos: int,
    banned_at: Callable[[int], list[int]],
    length_penalty: float,
    num: int,
) -> list[Path]:
    """banned_at: the tokens that may not stand in a place, which are counted from 1."""
    alive: list[tuple[tuple[int, ...], float]] = [((), 0.0)]
    done: list[Path] = []
    for length in range(1, max_tokens + 1):
        nats_BV = lm.predict(state).astype(np.float64)
        nats_BV[:, banned_at(length)] = -np.inf
        totals = np.array([nats for _, nats in alive])[:, None] + nats_BV
        done += [
            Path((*ids, eos), float(total), True)
            for (ids, _), total in zip(alive, totals[:, eos], strict=True)
            if np.isfinite(total)
        ]
        done = sorted(done, key=lambda path: -path.rank(length_penalty))[: max(beam, num)]
        totals[:, eos] = -np.inf
        flat = totals.ravel()
        width = min(beam, int(np.isfinite(flat).sum()))
        if not width:
            return done
        best = np.argpartition(-flat, width - 1)[:width]
        best = best[np.argsort(-flat[best], kind="stable")]
        rows, tokens = np.divmod(best, lm.vocab_size)
        alive = [
            ((*alive[row][0], int(token)), float(flat[i]))
            for row, token, i in zip(rows, tokens, best, strict=True)
        ]
        if len(done) >= num:
            bound = _bound(alive[0][1], length, max_tokens, length_penalty)
            if bound <= done[num - 1].rank(length_penalty):
                return done
        if length < max_tokens:
            state = lm.advance(state.take(rows), tokens)
    return done + [Path(ids, nats, False) for ids, nats in alive]


def _bound(nats: float, length: int, max_tokens: int, length_penalty: float) -> float:
    """The best rank that a path of `length` tokens can still reach: if it loses no more nats."""
    return nats / float((max_tokens if length_penalty > 0 else length) ** length_penalty)
