"""How a text goes on, most probably: its endings by beam search (Lowerre 1976; Graves 2012).

A hypothesis of n tokens with log-probability log P is ranked by

    log P / n^α                     α: the length penalty (after Wu et al. 2016); 0: by log P alone
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..config import require
from ..lm import CausalLM, Ids
from ..measures import LN10, surprisal
from ..text.tokenizer import Tokenizer
from .sample import continuation, encode_prompt


@dataclass(frozen=True)
class Completion:
    """A way in which a text may go on, to the end of its sentence."""

    text: str  # what follows the prompt
    full_text: str
    logprob: float  # of what follows, <EOS> included where it was reached; nats
    tokens: int
    finished: bool  # whether <EOS> was reached

    @property
    def log10prob(self) -> float:
        """Log-probability to base ten."""
        return self.logprob / LN10

    def as_dict(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "full_text": self.full_text,
            "logprob": self.logprob,
            "tokens": self.tokens,
            "finished": self.finished,
        }


@dataclass(frozen=True)
class Path:
    """Token ids and their log-probability together, nats."""

    ids: tuple[int, ...]
    nats: float
    finished: bool

    def rank(self, penalty: float) -> float:
        return self.nats / float(max(1, len(self.ids)) ** penalty)


def search(
    lm: CausalLM,
    state: Any,
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
    lm: CausalLM,
    state: Any,
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


def complete(
    lm: CausalLM,
    tokenizer: Tokenizer,
    prompt: str,
    *,
    beam: int = 8,
    num: int = 3,
    length_penalty: float = 0.0,
    max_tokens: int = 200,
    allow_unk: bool = False,
) -> list[Completion]:
    """The most probable endings of the sentence that `prompt` begins, best first.

    Raises CharlmError for settings out of range.
    """
    require(beam >= 1, f"beam must be at least 1, not {beam}")
    require(num >= 1, f"num must be at least 1, not {num}")
    require(max_tokens >= 1, f"max-tokens must be at least 1, not {max_tokens}")
    require(0 <= length_penalty <= 4, f"length-penalty must be from 0 to 4, not {length_penalty}")
    ids, spaced = encode_prompt(tokenizer, prompt)
    _, state = lm.read(lm.start(1), ids[None])
    unk = [] if allow_unk or tokenizer.unk is None else [tokenizer.unk]
    found = search(
        lm,
        state,
        beam=max(beam, num),
        most=max_tokens,
        eos=tokenizer.eos,
        banned=unk,
        penalty=length_penalty,
        number=num,
        barred_first=np.flatnonzero(~tokenizer.starts_word() & spaced).tolist(),
    )
    return [_ending(tokenizer, prompt, ids, spaced, path) for path in found]


def _ending(tokenizer: Tokenizer, prompt: str, ids: Ids, spaced: bool, path: Path) -> Completion:
    own = np.array(path.ids[:-1] if path.finished else path.ids, np.int64)
    text = continuation(tokenizer, ids, own)
    text = text.removeprefix(" ") if spaced else text
    return Completion(text, prompt + text, path.nats, len(path.ids), path.finished)


@dataclass(frozen=True)
class NextToken:
    """A token that may come next."""

    token: str
    logprob: float  # nats

    @property
    def probability(self) -> float:
        return math.exp(self.logprob)

    def as_dict(self) -> dict[str, Any]:
        return {"token": self.token, "logprob": self.logprob, "probability": self.probability}


class NextTokens(NamedTuple):
    """The most probable next tokens, and how open the question is."""

    tokens: list[NextToken]  # the most probable first
    entropy: float  # of the whole distribution, bits

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of `charlm next --json`."""
        return {"entropy": self.entropy, "next": [one.as_dict() for one in self.tokens]}


def next_tokens(
    lm: CausalLM, tokenizer: Tokenizer, prompt: str = "", *, top_k: int = 15
) -> NextTokens:
    """The most probable next tokens after `prompt`, and the entropy of all of them, bits.

    H = − Σ_w P(w) log2 P(w)   (Shannon 1948)
    """
    require(top_k >= 1, f"top-k must be at least 1, not {top_k}")
    ids, _ = encode_prompt(tokenizer, prompt)
    _, state = lm.read(lm.start(1), ids[None])
    nats = lm.predict(state)[0].astype(np.float64)
    best = np.argsort(-nats, kind="stable")[:top_k]
    entropy = surprisal(float((np.exp(nats) * np.where(np.isneginf(nats), 0, nats)).sum()))
    found = [NextToken(tokenizer.token(int(k)), float(nats[k])) for k in best]
    return NextTokens(found, entropy)
