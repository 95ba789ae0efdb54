"""Fill in the blanks of a line.

A bidirectional network gives P(token | all others) directly; several blanks depend on each other,
so whole lines are searched for. A left-to-right model finds the most probable completed lines by
beam search, in which the blanks are free and all else is template.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import CharlmError, require
from ..lm import CausalLM, Ids, LanguageModel, Mask, Nats, PseudoLM, S, causal, is_pseudo
from ..models.logspace import log_softmax
from ..text.tokenizer import Tokenizer
from ..text.word_tokenizer import WordTokenizer

BLANK = "_"
# Rare letters, one of which stands for a blank while a line is split into words.
PLACEHOLDERS = "\ua7ff\ua7fe\ua7fd"
BIDIRECTIONAL_BEAM = 64  # beam width for several blanks
CAUSAL_BEAM = 1024  # … with a left-to-right model of a small vocabulary
REFINED_LINES = 16  # lines that are refined further
MAX_TRIES_PER_BLANK = 8  # tokens tried in each blank
MAX_TRIES = 48  # … and in all blanks together
MAX_SWEEPS = 4  # over all blanks
MAX_PREDICTIONS = 1 << 24  # held in memory at a time


@dataclass(frozen=True)
class Filled:
    """A line with its blanks filled."""

    text: str
    tokens: tuple[str, ...]  # in the blanks
    logprob: float  # nats: of the tokens given all others (bidirectional), of the line (causal)
    probability: float  # relative to all fillings considered
    pseudo: bool = False  # several blanks, bidirectional: Σ log P(token | rest) of the line

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

    ids: Ids  # (T,), <EOS> at the end; arbitrary in the blanks
    blanks: tuple[int, ...]  # positions in `ids`, left to right
    allowed: tuple[Mask, ...]  # (V,) for each blank: which tokens fit
    text: str
    spans: tuple[tuple[int, int], ...]  # of each blank in `text`, with the word it is part of

    def unknown(self, unk: int | None) -> int:
        """How many tokens outside the blanks are <UNK>."""
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
    (word models). `left_only` makes a left-to-right model ignore what follows the blanks.
    Blanks are never filled with <UNK> or <EOS>.

    Raises CharlmError for a text without a blank, with several lines, or with a blank that no word
    fits, for models of other levels, and for left_only with a bidirectional model.
    """
    require(top_k >= 1, f"`top_k` must be at least 1, not {top_k}")
    template = parse(tokenizer, text)
    if is_pseudo(lm):
        require(not left_only, "a bidirectional model always uses what follows the blanks")
        unknown = lm.eos if tokenizer.unk is None else tokenizer.unk
        found = _fill_bidirectional(
            lm, template, unknown, max(REFINED_LINES, min(top_k, BIDIRECTIONAL_BEAM))
        )
    else:
        found = fill_causal(causal(lm), template, left_only=left_only)
    probabilities = np.exp(log_softmax(np.array([nats for _, nats in found])))
    pseudo = lm.pseudo and len(template.blanks) > 1
    result = []
    for (ids, nats), probability in zip(found[:top_k], probabilities, strict=False):
        tokens = tuple(tokenizer.token(int(ids[i])) for i in template.blanks)
        result.append(Filled(template.filled(tokens), tokens, nats, float(probability), pseudo))
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
    require(bool(fits.any()), "no token in the vocabulary can fill a blank")
    if isinstance(tokenizer, WordTokenizer):
        return _words(tokenizer, text, fits)
    ids = np.append(tokenizer.encode(text), tokenizer.eos).astype(np.int64)
    blanks = tuple(i for i, letter in enumerate(text) if letter == BLANK)
    spans = tuple((i, i + 1) for i in blanks)
    return Template(ids, blanks, (fits,) * len(blanks), text, spans)


def _words(tokenizer: WordTokenizer, text: str, fits: Mask) -> Template:
    placeholder = next((letter for letter in PLACEHOLDERS if letter not in text), "")
    require(bool(placeholder), f"the text contains all of {PLACEHOLDERS}: remove one of them")
    marked = re.sub(f"{BLANK}+", placeholder, text)
    ids = np.append(tokenizer.encode(marked), tokenizer.eos).astype(np.int64)
    parts = tokenizer.words(marked)
    blanks = tuple(i for i, part in enumerate(parts) if placeholder in part)
    spans, allowed, after = [], [], 0
    for part in (parts[i] for i in blanks):
        prefix, *_, suffix = part.split(placeholder)
        last = first = marked.index(placeholder, after)
        for _ in range(part.count(placeholder) - 1):
            last = marked.index(placeholder, last + 1)
        begin = first - _source_length(marked[:first][::-1], prefix, tokenizer.lower)
        after = last + 1 + _source_length(marked[last + 1 :], suffix, tokenizer.lower)
        spans.append((begin, after))
        allowed.append(fits & _matching(tokenizer, part.split(placeholder)))
        if not allowed[-1].any():
            shown = part.replace(placeholder, BLANK)
            raise CharlmError(f"no word in the vocabulary fits {shown}")
    return Template(ids, blanks, tuple(allowed), marked, tuple(spans))


def _source_length(text: str, part: str, lower: bool) -> int:
    """How many characters of `text` became `part`: lower-casing can turn one into two (İ)."""
    length = len(part)
    while lower and len(text[:length].lower()) > len(part):
        length -= 1
    return length


def _matching(tokenizer: WordTokenizer, pieces: Sequence[str]) -> Mask:
    """(V,): which words are the pieces with something in between."""
    pattern = re.compile(".+".join(map(re.escape, pieces)))
    words = map(tokenizer.token, range(tokenizer.vocab_size))
    return np.fromiter((pattern.fullmatch(word) is not None for word in words), bool)


def _best(nats_NV: Nats, sums_N: Nats, fits_V: Mask, limit: int) -> tuple[Ids, Ids, Nats]:
    """Rows, tokens and sums of the `limit` best continuations that fit, best first."""
    sums = np.where(fits_V, nats_NV + sums_N[:, None], -np.inf).ravel()
    limit = min(limit, len(nats_NV) * int(fits_V.sum()))
    flat = np.argpartition(-sums, limit - 1)[:limit]
    flat = flat[np.argsort(-sums[flat], kind="stable")]
    rows, tokens = np.divmod(flat, len(fits_V))
    return rows, tokens, sums[flat]


def _fill_bidirectional(
    lm: PseudoLM, template: Template, unknown: int, pool_size: int
) -> list[tuple[Ids, float]]:
    """Lines, best first; for a single blank with log P(token | all others), which is exact.

    For several, with Σ log P(token | all others) over the line: the tokens in the blanks must fit
    those around them, and vice versa.
    """
    initial = template.ids.copy()
    initial[list(template.blanks)] = unknown
    single = len(template.blanks) == 1
    lines: Ids = initial[None]
    sums: Nats = np.zeros(1)
    for place, fits in zip(
        template.blanks, template.allowed, strict=True
    ):  # what follows is unknown yet
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
    seen = {line.tobytes(): (line, nats) for line, nats in ranked}
    pool = ranked[:pool_size]
    tries = max(2, min(MAX_TRIES_PER_BLANK, MAX_TRIES // len(template.blanks)))
    for _ in range(MAX_SWEEPS):  # each blank again, given the current tokens of the others
        lines = np.stack([line for line, _ in pool])
        trials = [lines]
        for place, fits in zip(template.blanks, template.allowed, strict=True):
            nats = np.where(fits, lm.predict_at(lines, place), -np.inf)
            for token in np.argsort(-nats, axis=1, kind="stable")[:, : min(tries, fits.sum())].T:
                changed = lines.copy()
                changed[:, place] = token
                trials.append(changed)
        found = _ranked(lm, np.unique(np.concatenate(trials), axis=0))
        seen |= {line.tobytes(): (line, nats) for line, nats in found}
        if [nats for _, nats in found[:pool_size]] == [nats for _, nats in pool]:
            break
        pool = found[:pool_size]
    return sorted(seen.values(), key=lambda item: -item[1])


def _ranked(lm: PseudoLM, lines: Ids) -> list[tuple[Ids, float]]:
    """Lines, and Σ log P(token | all others) over all their tokens, best first."""
    sums = [float(nats.sum(dtype=np.float64)) for nats in lm.logprobs(list(lines))]
    return sorted(zip(lines, sums, strict=True), key=lambda item: -item[1])


def fill_causal(lm: CausalLM[S], template: Template, *, left_only: bool) -> list[tuple[Ids, float]]:
    """Lines, best first, with log P of each (with `left_only`, of the blanks' tokens alone).

    Exact for a single blank and a vocabulary of up to 4,096 (the root of MAX_PREDICTIONS).
    """
    max_width = max(BIDIRECTIONAL_BEAM, MAX_PREDICTIONS // lm.vocab_size)
    width = max_width if len(template.blanks) == 1 else min(CAUSAL_BEAM, max_width)
    fits = dict(zip(template.blanks, template.allowed, strict=True))
    state, lines = lm.start(1), np.zeros((1, 0), np.int64)
    sums: Nats = np.zeros(1)
    for place, token in enumerate(template.ids):
        if place in fits:
            nats = lm.predict(state)
            rows, tokens, sums = _best(nats, sums, fits[place], width)
            state, lines = state.take(rows), lines[rows]
        else:
            tokens = np.full(len(sums), token)
        if not left_only and place not in fits:
            nats_B1, state = lm.read(state, tokens[:, None])
            sums = sums + nats_B1[:, 0]
        elif not left_only or place < template.blanks[-1]:
            state = lm.advance(state, tokens)
        lines = np.concatenate([lines, tokens[:, None]], axis=1)
    order = np.argsort(-sums, kind="stable")
    return [(lines[k], float(sums[k])) for k in order]
