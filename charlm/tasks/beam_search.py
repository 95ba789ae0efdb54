"""Beam search for the most probable continuations (Lowerre 1976; Graves 2012).

A hypothesis of n tokens with log-probability log P is ranked by

    log P / n^α                     α: the length penalty (after Wu et al. 2016); 0: by log P alone
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..lm import CausalLM, S


@dataclass(frozen=True)
class Path:
    """Token ids and their log-probability together, nats."""

    ids: tuple[int, ...]
    nats: float
    finished: bool

    def rank(self, penalty: float) -> float:
        return self.nats / float(max(1, len(self.ids)) ** penalty)


def search(
    lm: CausalLM[S],
    state: S,
    *,
    beam: int,
    most: int,
    eos: int,
    banned: Sequence[int] = (),
    penalty: float = 0.0,
    number: int = 1,
    barred_first: Sequence[int] = (),
) -> list[Path]:
    """The `number` best continuations of the one text in `state`, best first.

    A beam of one is greedy; the greedy path always takes part, so the result is never worse. A
    path ends with `eos` or after `most` tokens; finished ones come before those cut off. The search
    ends as soon as nothing unfinished can still be better.
    """
    first = [*banned, *barred_first]
    paths = _beams(lm, state, beam, most, eos, banned, first, penalty, number)
    if beam > 1:
        greedy = _beams(lm, state, 1, most, eos, banned, first, penalty, 1)
        known = {path.ids for path in paths}  # the same path may differ in the last digit
        paths += [path for path in greedy if path.ids not in known]
    paths.sort(key=lambda path: (not path.finished, -path.rank(penalty), path.ids))
    return paths[:number]


def _beams(
    lm: CausalLM[S],
    state: S,
    beam: int,
    most: int,
    eos: int,
    banned: Sequence[int],
    barred_first: Sequence[int],
    penalty: float,
    number: int,
) -> list[Path]:
    alive: list[tuple[tuple[int, ...], float]] = [((), 0.0)]
    done: list[Path] = []
    for length in range(1, most + 1):
        nats_BV = lm.predict(state).astype(np.float64)
        nats_BV[:, list(barred_first if length == 1 else banned)] = -np.inf
        totals = np.array([nats for _, nats in alive])[:, None] + nats_BV
        done += [
            Path((*ids, eos), float(total), True)
            for (ids, _), total in zip(alive, totals[:, eos], strict=True)
            if np.isfinite(total)
        ]
        done = sorted(done, key=lambda path: -path.rank(penalty))[: max(beam, number)]
        totals[:, eos] = -np.inf
        flat = totals.ravel()
        width = min(beam, int(np.isfinite(flat).sum()))
        if not width:
            return done
        best = np.argpartition(-flat, width - 1)[:width]
        best = best[np.argsort(-flat[best], kind="stable")]
        rows, tokens = np.divmod(best, lm.vocab_size)
        alive = [
            ((*alive[row][0], int(token)), float(flat[place]))
            for row, token, place in zip(rows, tokens, best, strict=True)
        ]
        enough = len(done) >= number
        if enough and _bound(alive[0][1], length, most, penalty) <= done[number - 1].rank(penalty):
            return done
        if length < most:
            state = lm.advance(state.take(rows), tokens)
    return done + [Path(ids, nats, False) for ids, nats in alive]


def _bound(nats: float, length: int, most: int, penalty: float) -> float:
    """The best rank that a path of `length` tokens can still come to: no more nats lost."""
    return nats / float((most if penalty > 0 else length) ** penalty)
