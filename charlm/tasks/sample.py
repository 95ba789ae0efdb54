"""Draw texts from a model.

The filters are applied in Hugging Face's order: temperature, then top-k, then top-p. Each takes
and gives log-probabilities, (B, V) nats, rows summing to 1; a token that is ruled out has −inf.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..config import require
from ..lm import CausalLM, Ids, Nats, S
from ..models.logspace import log_softmax
from ..models.padding import rows_that_fit
from ..text.tokenizer import Tokenizer

MAX_BATCH = 64  # most samples drawn side by side
DRAWS_AT_ONCE = 256  # random numbers fetched from each sample's generator at a time
UNSTABLE_CHARS = 3  # characters at the end of a text that the next byte may still change
MAX_LINE_TOKENS = 256  # tokens of a line, after which its beginning is let go of


@dataclass(frozen=True)
class Sample:
    """A text that the model wrote."""

    text: str  # what follows the prompt, without the line break that closes the last line
    tokens: int  # drawn, a closing <EOS> included
    logprob: float  # nats, under the model itself (temperature 1, unfiltered), prompt excluded
    prompt: str = ""

    @property
    def full_text(self) -> str:
        """The prompt and what follows it."""
        return self.prompt + self.text

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of `charlm sample --json`."""
        return {
            "text": self.text,
            "tokens": self.tokens,
            "logprob": self.logprob,
            "prompt": self.prompt,
        }


def sample(
    lm: CausalLM[S],
    tokenizer: Tokenizer,
    *,
    prompt: str = "",
    num_samples: int = 1,
    max_tokens: int = 1000,
    lines: int = 1,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    seed: int = 0,
    allow_unk: bool = False,
    on_text: Callable[[str], None] | None = None,
) -> list[Sample]:
    """Draw `num_samples` continuations of `prompt`, which begins a line.

    A text ends when `lines` lines are closed by <EOS>, or after `max_tokens` tokens. <UNK> is
    never drawn unless `allow_unk` (the others' probabilities are scaled up to 1); in the prompt
    it stands for what the tokenizer does not know. A space that ends the prompt of a word or
    subword model asks for a new word. Each sample has a random generator of its own, so sample i
    is the same however many are drawn, up to rounding. Where one sample is drawn, `on_text` is
    called with each piece of its text as soon as that is certain.

    Raises CharlmError for settings out of range.
    """
    require(num_samples >= 1, f"num-samples must be at least 1, not {num_samples}")
    require(max_tokens >= 1, f"max-tokens must be at least 1, not {max_tokens}")
    require(lines >= 1, f"lines must be at least 1, not {lines}")
    require(seed >= 0, f"seed must not be negative, not {seed}")
    require(
        0 <= temperature < math.inf,
        f"temperature must be 0 (always the most probable) or positive, not {temperature}",
    )
    require(top_k >= 0, f"top-k must be 0 (no limit) or positive, not {top_k}")
    require(0 < top_p <= 1, f"top-p must be above 0 and at most 1, not {top_p}")

    prompt_ids, spaced = encode_prompt(tokenizer, prompt)
    barred = np.flatnonzero(~tokenizer.starts_word() & spaced)  # as the first token

    def choose(predicted_BV: Nats, draws_B: Nats, first: bool) -> Ids:
        nats: Nats = predicted_BV.astype(np.float64)
        if first:
            nats[:, barred] = -np.inf
        if tokenizer.unk is not None and not allow_unk:
            nats[:, tokenizer.unk] = -np.inf
        if temperature != 1:
            nats = apply_temperature(nats, temperature)
        if top_k:
            nats = apply_top_k(nats, top_k)
        if top_p < 1:
            nats = apply_top_p(nats, top_p)
        return draw(nats, draws_B)

    _, state = lm.read(lm.start(1), prompt_ids[None])
    writer = None
    if on_text and num_samples == 1:
        writer = Writer(tokenizer, prompt_ids, on_text, spaced)
    rows = min(MAX_BATCH, rows_that_fit(lm.vocab_size))
    samples = []
    for first in range(0, num_samples, rows):
        numbers = range(first, min(first + rows, num_samples))
        drawn = _draw_batch(
            lm,
            tokenizer.eos,
            state.take(np.zeros(len(numbers), np.intp)),
            [generator_of(seed, number) for number in numbers],
            choose,
            max_tokens,
            lines,
            writer.add if writer else None,
        )
        for ids, logprob in drawn:
            ended = int((ids == tokenizer.eos).sum()) == lines
            text = continuation(tokenizer, prompt_ids, ids[:-1] if ended else ids)
            text = text.removeprefix(" ") if spaced else text
            samples.append(Sample(text, len(ids), logprob, prompt))
    if writer:
        writer.close(samples[0].text)
    return samples


def preview(lm: CausalLM[S], tokenizer: Tokenizer, seed: int) -> str:
    """What a model writes by now: up to three lines, the same draws for the same seed."""
    tokens = 160 if tokenizer.level in ("char", "byte") else 40
    return sample(lm, tokenizer, max_tokens=tokens, lines=3, temperature=0.8, seed=seed)[0].text


def generator_of(seed: int, number: int) -> np.random.Generator:
    """The random generator of sample `number`, whatever the number of samples."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))


def _draw_batch(
    lm: CausalLM[S],
    eos: int,
    state: S,
    generators: list[np.random.Generator],
    choose: Callable[[Nats, Nats, bool], Ids],
    max_tokens: int,
    lines: int,
    on_token: Callable[[int], None] | None,
) -> list[tuple[Ids, float]]:
    """One text from each generator: its tokens and their log-probability.

    Rows are dropped from the batch as they end. Arrays below have an entry for each that goes on.
    """
    results: list[tuple[Ids, float]] = [(np.zeros(0, np.int64), 0.0)] * len(generators)
    rows = np.arange(len(generators))  # whose they are
    before = np.zeros((len(rows), 0), np.int64)  # tokens drawn up to the last drop
    columns: list[Ids] = []  # … and since
    nats, closed = np.zeros(len(rows)), np.zeros(len(rows), np.int64)
    for t in range(max_tokens):
        if t % DRAWS_AT_ONCE == 0:
            draws = np.stack([generators[row].random(DRAWS_AT_ONCE) for row in rows])
        predicted = lm.predict(state)
        ids = choose(predicted, draws[:, t % DRAWS_AT_ONCE], t == 0)
        columns.append(ids)
        nats += predicted[np.arange(len(ids)), ids]
        closed += ids == eos
        if on_token is not None:
            on_token(int(ids[0]))
        last = t + 1 == max_tokens
        ended = (closed >= lines) | last
        if ended.any():
            before = np.concatenate([before, np.stack(columns, axis=1)], axis=1)
            columns = []
            for k in np.flatnonzero(ended):
                results[rows[k]] = (before[k], float(nats[k]))
            going = np.flatnonzero(~ended)
            if not len(going):
                break
            rows, before, nats, closed = rows[going], before[going], nats[going], closed[going]
            state, draws, ids = state.take(going), draws[going], ids[going]
        state = lm.advance(state, ids)
    return results


# Filters --------------------------------------------------------------------------------------


def normalise(nats_BV: Nats) -> Nats:
    """Scale every row so that its probabilities sum to 1."""
    return log_softmax(nats_BV)


def apply_temperature(nats_BV: Nats, temperature: float) -> Nats:
    """p^(1/temperature), normalised. Temperature 0 leaves only the most probable token."""
    if temperature == 0:
        return apply_top_k(nats_BV, 1)
    if temperature == 1:
        return normalise(nats_BV)
    shifted = nats_BV - nats_BV.max(axis=-1, keepdims=True)
    with np.errstate(over="ignore"):  # −x / tiny is −inf, which is meant
        return normalise(shifted / temperature)


def apply_top_k(nats_BV: Nats, k: int) -> Nats:
    """Keep the k most probable tokens (of equals those with lower ids), normalised; 0 keeps all."""
    V = nats_BV.shape[-1]
    if k == 0 or k >= V:
        return normalise(nats_BV)
    if k == 1:
        best = nats_BV.argmax(axis=-1)[..., None]
        return np.where(np.arange(V) == best, 0.0, -np.inf)
    least = np.partition(nats_BV, V - k, axis=-1)[..., V - k, None]  # the k-th most probable's
    above, equal = nats_BV > least, nats_BV == least
    room = k - above.sum(axis=-1, keepdims=True)
    return normalise(np.where(above | (equal & (equal.cumsum(axis=-1) <= room)), nats_BV, -np.inf))


def apply_top_p(nats_BV: Nats, p: float) -> Nats:
    """Keep the smallest set of most probable tokens that has mass ≥ p, normalised; 1 keeps all.

    Holtzman et al. (2020), "The Curious Case of Neural Text Degeneration". Of equally probable
    tokens those with lower ids are kept first.
    """
    nats = normalise(nats_BV)
    if p >= 1:
        return nats
    order = np.argsort(-nats, axis=-1, kind="stable")
    mass = np.exp(np.take_along_axis(nats, order, axis=-1)).cumsum(axis=-1)
    keep = np.ones(nats.shape, bool)  # a token is kept if those before it do not reach p
    np.put_along_axis(keep, order[..., 1:], mass[..., :-1] < p, axis=-1)
    return normalise(np.where(keep, nats, -np.inf))


def draw(nats_BV: Nats, draws_B: Nats) -> Ids:
    """A token for each row by inversion: the first whose cumulative probability exceeds the draw.

    `draws_B` are uniform in [0, 1). A token of probability 0 is never drawn; rows need not be
    normalised.
    """
    mass = np.exp(nats_BV).cumsum(axis=-1)
    target = draws_B[:, None] * mass[:, -1:]
    return np.asarray((mass <= target).sum(axis=-1))


# Text -----------------------------------------------------------------------------------------


def encode_prompt(tokenizer: Tokenizer, prompt: str) -> tuple[Ids, bool]:
    """The prompt's tokens, and whether it ends in a space that belongs to the next token."""
    spaced = tokenizer.level in ("word", "subword") and prompt.endswith(" ")
    return tokenizer.encode(prompt.rstrip(" ") if spaced else prompt), spaced


def continuation(tokenizer: Tokenizer, prompt_ids: Ids, ids: Ids) -> str:
    """The text of `ids` where it follows `prompt_ids`: with the space between two words, say."""
    before = tokenizer.decode(prompt_ids)
    whole = tokenizer.decode(np.concatenate([prompt_ids, ids]))
    return whole[len(before) :] if whole.startswith(before) else tokenizer.decode(ids)


class Writer:
    """Hands the text of a growing sequence on, piece by piece, never a piece that may change.

    A character of several bytes is withheld until it is complete. A single quote between words
    is withheld to the end of its line, as only then is it clear whether it opens or closes.
    """

    def __init__(
        self, tokenizer: Tokenizer, prompt_ids: Ids, on_text: Callable[[str], None], spaced: bool
    ) -> None:
        self.tokenizer = tokenizer
        self.on_text = on_text
        self.spaced = spaced  # whether the space before the first word has been shown already
        ends = np.flatnonzero(prompt_ids == tokenizer.eos)
        self.line = prompt_ids[ends[-1] + 1 if len(ends) else 0 :].tolist()  # tokens of this line
        self.shown = len(tokenizer.decode(self.line))  # characters of this line handed on
        self.sent = 0  # characters handed on in all
        self.closed = False  # whether the line is at its end
        quotes = tokenizer.encode("'").tolist() if tokenizer.level == "word" else []
        self.ambiguous = {token for token in quotes if token != tokenizer.unk}
        self.silent = not self.ambiguous.isdisjoint(self.line)

    def add(self, token: int) -> None:
        """Take one more token; hand on what it has made certain."""
        if self.silent:
            return
        if self.closed:
            self._hand_on("\n")
            self.line, self.shown = [], 0
        self.closed = token == self.tokenizer.eos
        if not self.closed:
            self.line.append(token)
            if not self.ambiguous.isdisjoint(self.line):
                return
        text = self.tokenizer.decode(self.line)
        stable = len(text)
        while (
            not self.closed and stable > len(text) - UNSTABLE_CHARS and _may_change(text[:stable])
        ):
            stable -= 1
        self._hand_on(text[self.shown : stable])
        self.shown = max(self.shown, stable)
        if len(self.line) > MAX_LINE_TOKENS and self.shown == len(text) and self.tokenizer.lossless:
            self.line = self.line[
                -MAX_LINE_TOKENS // 8 :
            ]  # decoding all of it for every token takes time
            self.shown = len(self.tokenizer.decode(self.line))

    def close(self, text: str) -> None:
        """The sequence is at its end, and its text is `text`: hand on the rest of it."""
        self._hand_on(text[self.sent :])

    def _hand_on(self, piece: str) -> None:
        if piece and self.spaced:
            piece, self.spaced = piece.removeprefix(" "), False
        if piece:
            self.on_text(piece)
            self.sent += len(piece)


def _may_change(text: str) -> bool:
    """Whether the text ends in a stand-in for bytes that do not yet make a character."""
    return text[-1:] == "\ufffd" or "\udc80" <= text[-1:] <= "\udcff"
