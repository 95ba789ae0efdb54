"""Sample texts from a model."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..config import require
from ..lm import CausalLM, Ids, Nats, S
from ..models.padding import rows_that_fit
from ..text.tokenizer import Tokenizer
from .prompt import continuation, encode_prompt
from .sampling_filters import apply_temperature, apply_top_k, apply_top_p, draw
from .stream_writer import StreamWriter

MAX_SAMPLES = 100_000
MAX_BATCH = 64  # samples drawn in parallel
DRAWS_AT_ONCE = 256  # random numbers taken from each sample's generator at a time


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

    A text ends when `lines` lines are closed by <EOS>, or after `max_tokens` tokens. <UNK> is never
    drawn unless `allow_unk` (the others' probabilities are renormalised); in the prompt it stands
    for whatever is not in the vocabulary. A trailing space in the prompt of a word or subword model
    asks for a new word. Each sample has a random generator of its own, so sample i is the same
    however many are drawn, up to rounding. If one sample is drawn, `on_text` is called with each
    piece of its text as soon as it is final.

    Raises CharlmError for settings out of range.
    """
    require(
        1 <= num_samples <= MAX_SAMPLES,
        f"`num_samples` must be from 1 to {MAX_SAMPLES:,}, not {num_samples}",
    )
    require(max_tokens >= 1, f"`max_tokens` must be at least 1, not {max_tokens}")
    require(lines >= 1, f"`lines` must be at least 1, not {lines}")
    require(seed >= 0, f"seed must not be negative, not {seed}")
    require(
        0 <= temperature < math.inf,
        f"`temperature` must be 0 (always the most probable) or positive, not {temperature}",
    )
    require(top_k >= 0, f"`top_k` must be 0 (no limit) or positive, not {top_k}")
    require(0 < top_p <= 1, f"`top_p` must be above 0 and at most 1, not {top_p}")

    prompt_ids, spaced = encode_prompt(tokenizer, prompt)
    banned_first = np.flatnonzero(~tokenizer.starts_word() & spaced)

    def choose(predicted_BV: Nats, draws_B: Nats, first: bool) -> Ids:
        nats: Nats = predicted_BV.astype(np.float64)
        if first:
            nats[:, banned_first] = -np.inf
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
        writer = StreamWriter(tokenizer, prompt_ids, on_text, spaced)
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
    """A short sample: up to three lines, with the same random draws for the same seed."""
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

    Rows are dropped from the batch as they end; the arrays below have an entry for each live row.
    """
    results: list[tuple[Ids, float]] = [(np.zeros(0, np.int64), 0.0)] * len(generators)
    rows = np.arange(len(generators))  # which text each batch row is
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
            live = np.flatnonzero(~ended)
            if not len(live):
                break
            rows, before, nats, closed = rows[live], before[live], nats[live], closed[live]
            state, draws, ids = state.take(live), draws[live], ids[live]
        state = lm.advance(state, ids)
    return results
