"""Filling blanks in a line: from both sides, or by how probable the completed lines are.

A bidirectional network gives P(token | all others) at once; where there are several blanks they
depend on each other, and whole lines are searched for. A model that reads left to right finds the
most probable completed lines by beam search, in which the blanks are free and all else is given.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..config import require
from ..errors import CharlmError
from ..lm import CausalLM, Ids, LanguageModel, Mask, Nats, PseudoLM, S, causal, is_pseudo
from ..models.logspace import log_softmax
from ..text.tokenizer import Tokenizer
from ..text.word_tokenizer import WordTokenizer

BLANK = "_"
# Rare letters: a blank is split off from its surroundings as one of them.
PLACEHOLDERS = "\ua7ff\ua7fe\ua7fd"
BIDIRECTIONAL_BEAM = 64  # lines held at once where there are several blanks
CAUSAL_BEAM = 1024  # … by a model that reads left to right, where there are few kinds of token
REFINED_LINES = 16  # lines that are refined from both sides
MAX_TRIES_PER_BLANK = 8  # tokens tried in each of their blanks, at most,
MAX_TRIES = 48  # … and in all of them together
MAX_SWEEPS = 4  # over all blanks, at most
MAX_PREDICTIONS = 1 << 24  # predictions that are held at once


@dataclass(frozen=True)
class Filled:
    """A line with its blanks filled."""

    text: str
    tokens: tuple[str, ...]  # what stands in the blanks
    logprob: float  # nats: of the tokens given all else (both sides), of the line (one direction)
    probability: float  # among all ways to fill the line that were looked at
    pseudo: bool = False  # several blanks, from both sides: Σ log P(token | rest) of the line

    def as_dict(self) -> dict[str, Any]:
        return {
            **({"pseudo": True} if self.pseudo else {}),
            "text": self.text,
            "tokens": list(self.tokens),
            "logprob": self.logprob,
            "probability": self.probability,
        }


@dataclass(frozen=True)
class Template:
    """A line with blanks, as tokens."""

    ids: Ids  # (T,), <EOS> at the end; what stands in the blanks says nothing
    blanks: tuple[int, ...]  # places in `ids`, from the left
    allowed: tuple[Mask, ...]  # (V,) for each blank: which tokens fit in
    text: str
    spans: tuple[tuple[int, int], ...]  # where each blank stands in `text`, with what it is part of

    def unknown(self, unk: int | None) -> int:
        """How many tokens beside the blanks are <UNK>."""
        return int((np.delete(self.ids, list(self.blanks)) == unk).sum())

    def filled(self, tokens: Sequence[str]) -> str:
        """The text with `tokens` in its blanks."""
        done, last = "", 0
        for (begin, end), token in zip(self.spans, tokens, strict=True):
            done += self.text[last:begin] + token
            last = end
        return done + self.text[last:]


def fill(
    lm: LanguageModel,
    tokenizer: Tokenizer,
    text: str,
    *,
    top_k: int = 5,
    left_only: bool = False,
) -> list[Filled]:
    """The `top_k` best ways to fill the blanks of `text`, best first.

    Each _ is a character (character models), each run of them a word or the missing part of one
    (word models). `left_only` asks a model that reads left to right what it would have said
    before it saw what follows the blanks. <UNK> and <EOS> fill nothing.

    Raises CharlmError for a text without a blank, of several lines, with a blank that no word of
    the model fits, for models of other levels, and for left_only where both sides are read.
    """
    require(top_k >= 1, f"top-k must be at least 1, not {top_k}")
    given = parse(tokenizer, text)
    if is_pseudo(lm):
        require(not left_only, "a model that reads from both sides knows what follows the blanks")
        unknown = lm.eos if tokenizer.unk is None else tokenizer.unk
        found = _from_both_sides(
            lm, given, unknown, max(REFINED_LINES, min(top_k, BIDIRECTIONAL_BEAM))
        )
    else:
        found = complete_lines(causal(lm), given, left_only=left_only)
    shares = np.exp(log_softmax(np.array([nats for _, nats in found])))
    pseudo = lm.pseudo and len(given.blanks) > 1
    result = []
    for (ids, nats), share in zip(found[:top_k], shares, strict=False):
        tokens = tuple(tokenizer.token(int(ids[place])) for place in given.blanks)
        result.append(Filled(given.filled(tokens), tokens, nats, float(share), pseudo))
    return result


def parse(tokenizer: Tokenizer, text: str) -> Template:
    """A line with blanks as tokens. Raises CharlmError as `fill` does."""
    require(
        tokenizer.level in ("char", "word"),
        f"blanks are characters or words, and this model's tokens are {tokenizer.level}s",
    )
    if BLANK not in text:
        raise CharlmError(f"there is no blank to fill: write {BLANK} where something is missing")
    require("\n" not in text, "the text has several lines: fill one at a time")
    fits = np.ones(tokenizer.vocab_size, bool)
    fits[[id for id in (tokenizer.eos, tokenizer.unk) if id is not None]] = False
    require(bool(fits.any()), "the model knows no token that could fill a blank")
    if isinstance(tokenizer, WordTokenizer):
        return _words(tokenizer, text, fits)
    ids = np.append(tokenizer.encode(text), tokenizer.eos).astype(np.int64)
    places = tuple(place for place, letter in enumerate(text) if letter == BLANK)
    spans = tuple((place, place + 1) for place in places)
    return Template(ids, places, (fits,) * len(places), text, spans)


def _words(tokenizer: WordTokenizer, text: str, fits: Mask) -> Template:
    stand_in = next((letter for letter in PLACEHOLDERS if letter not in text), "")
    require(bool(stand_in), f"the text uses up the letters {PLACEHOLDERS}: leave one of them out")
    marked = re.sub(f"{BLANK}+", stand_in, text)
    ids = np.append(tokenizer.encode(marked), tokenizer.eos).astype(np.int64)
    parts = tokenizer.words(marked)
    blanks = tuple(place for place, part in enumerate(parts) if stand_in in part)
    spans, allowed, after = [], [], 0
    for part in (parts[place] for place in blanks):
        before, *_, behind = part.split(stand_in)
        last = first = marked.index(stand_in, after)
        for _ in range(part.count(stand_in) - 1):
            last = marked.index(stand_in, last + 1)
        begin = first - _written(marked[:first][::-1], before, tokenizer.lower)
        after = last + 1 + _written(marked[last + 1 :], behind, tokenizer.lower)
        spans.append((begin, after))
        allowed.append(fits & _matching(tokenizer, part.split(stand_in)))
        if not allowed[-1].any():
            shown = part.replace(stand_in, BLANK)
            raise CharlmError(f"the model knows no word that fits {shown}")
    return Template(ids, blanks, tuple(allowed), marked, tuple(spans))


def _written(text: str, part: str, lower: bool) -> int:
    """How many characters of `text` became `part`: folding makes two of some (İ)."""
    length = len(part)
    while lower and len(text[:length].lower()) > len(part):
        length -= 1
    return length


def _matching(tokenizer: WordTokenizer, pieces: Sequence[str]) -> Mask:
    """(V,): which words are the pieces with something between each two."""
    pattern = re.compile(".+".join(map(re.escape, pieces)))
    words = map(tokenizer.token, range(tokenizer.vocab_size))
    return np.fromiter((pattern.fullmatch(word) is not None for word in words), bool)


def _best(nats_NV: Nats, sums_N: Nats, fits_V: Mask, most: int) -> tuple[Ids, Ids, Nats]:
    """Rows, tokens and sums of the `most` best continuations that fit, best first."""
    sums = np.where(fits_V, nats_NV + sums_N[:, None], -np.inf).ravel()
    most = min(most, len(nats_NV) * int(fits_V.sum()))
    flat = np.argpartition(-sums, most - 1)[:most]
    flat = flat[np.argsort(-sums[flat], kind="stable")]
    rows, tokens = np.divmod(flat, len(fits_V))
    return rows, tokens, sums[flat]


def _from_both_sides(
    lm: PseudoLM, given: Template, unknown: int, pool_size: int
) -> list[tuple[Ids, float]]:
    """Lines, best first, and log P(token there | all others) for a single blank: exact.

    For several, Σ log P(token | all others) over the line: what stands in the blanks must suit what
    stands around them and the other way round.
    """
    begun = given.ids.copy()
    begun[list(given.blanks)] = unknown
    single = len(given.blanks) == 1
    lines: Ids = begun[None]
    sums: Nats = np.zeros(1)
    for place, fits in zip(given.blanks, given.allowed, strict=True):  # what follows is unknown yet
        nats: Nats = lm.predict_at(lines, place).astype(np.float64)
        if single:
            nats = log_softmax(np.where(fits, nats, -np.inf))
        rows, tokens, sums = _best(
            nats, sums, fits, lm.vocab_size if single else BIDIRECTIONAL_BEAM
        )
        lines = lines[rows]
        lines[:, place] = tokens
    if single:
        return list(zip(lines, sums.tolist(), strict=True))
    ranked = _ranked(lm, lines)
    seen = {own.tobytes(): (own, nats) for own, nats in ranked}
    pool = ranked[:pool_size]
    tried = max(2, min(MAX_TRIES_PER_BLANK, MAX_TRIES // len(given.blanks)))
    for _ in range(MAX_SWEEPS):  # each blank again, under what now stands in the others
        lines = np.stack([own for own, _ in pool])
        trials = [lines]
        for place, fits in zip(given.blanks, given.allowed, strict=True):
            nats = np.where(fits, lm.predict_at(lines, place), -np.inf)
            for token in np.argsort(-nats, axis=1, kind="stable")[:, : min(tried, fits.sum())].T:
                changed = lines.copy()
                changed[:, place] = token
                trials.append(changed)
        found = _ranked(lm, np.unique(np.concatenate(trials), axis=0))
        seen |= {own.tobytes(): (own, nats) for own, nats in found}
        if [nats for _, nats in found[:pool_size]] == [nats for _, nats in pool]:
            break
        pool = found[:pool_size]
    return sorted(seen.values(), key=lambda item: -item[1])


def _ranked(lm: PseudoLM, lines: Ids) -> list[tuple[Ids, float]]:
    """Lines, and Σ log P(token | all others) over all their tokens, best first."""
    sums = [float(nats.sum(dtype=np.float64)) for nats in lm.logprobs(list(lines))]
    return sorted(zip(lines, sums, strict=True), key=lambda item: -item[1])


def complete_lines(lm: CausalLM[S], given: Template, *, left_only: bool) -> list[tuple[Ids, float]]:
    """Lines, and log P of each as a whole (or of the blanks' tokens given what stands before).

    Best first. Exact for a single blank and up to 4,096 kinds of token (WORK ** ½).
    """
    room = max(BIDIRECTIONAL_BEAM, MAX_PREDICTIONS // lm.vocab_size)
    width = room if len(given.blanks) == 1 else min(CAUSAL_BEAM, room)
    fits = dict(zip(given.blanks, given.allowed, strict=True))
    state, lines = lm.start(1), np.zeros((1, 0), np.int64)
    sums: Nats = np.zeros(1)
    for place, token in enumerate(given.ids):
        if place in fits:
            nats = lm.predict(state)
            rows, tokens, sums = _best(nats, sums, fits[place], width)
            state, lines = state.take(rows), lines[rows]
        else:
            tokens = np.full(len(sums), token)
        if not left_only and place not in fits:
            nats_B1, state = lm.read(state, tokens[:, None])
            sums = sums + nats_B1[:, 0]
        elif not left_only or place < given.blanks[-1]:
            state = lm.advance(state, tokens)
        lines = np.concatenate([lines, tokens[:, None]], axis=1)
    order = np.argsort(-sums, kind="stable")
    return [(lines[k], float(sums[k])) for k in order]
