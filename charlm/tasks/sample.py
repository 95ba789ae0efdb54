"""Sample texts from a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import require
from ..lm import CausalLM, Ids, S
from ..models.padding import rows_that_fit
from ..text.tokenizer import Tokenizer
from .prompt import continuation, encode_prompt
from .sampling_filters import Filters
from .stream_writer import StreamWriter
from .token_choice import DEAD_END, STUCK, Chooser

if TYPE_CHECKING:  # what few samples need is imported on first use
    from .constraints import Constrained, Constraint
    from .new_words import NewWords
    from .seen_ngrams import Guard

MAX_SAMPLES = 100_000
MAX_BATCH = 64  # samples drawn in parallel
WHY = {STUCK: "stuck", DEAD_END: "dead end"}
DRAWS_AT_ONCE = 256  # random numbers taken from each sample's generator at a time


@dataclass(frozen=True)
class Sample:
    """A text that the model wrote."""

    text: str  # what follows the prompt, without the line break that closes the last line
    tokens: int  # drawn, a closing <EOS> included
    logprob: float  # nats, under the model itself (temperature 1, unfiltered), prompt excluded
    prompt: str = ""
    ended: str = "lines"  # why: "lines" are closed, "max_tokens", or "stuck": nothing was allowed
    ids: tuple[int, ...] = ()  # of the tokens

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
            "ended": self.ended,
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
    min_p: float = 0.0,
    typical: float = 1.0,
    no_repeat: int = 0,
    no_copy: int = 0,
    training_text: Ids | None = None,
    match: str | None = None,
    words: Iterable[str] | None = None,
    seed: int = 0,
    allow_unk: bool = False,
    allow_new_words: bool = False,
    on_text: Callable[[str], None] | None = None,
    on_sample: Callable[[Sample], None] | None = None,
) -> list[Sample]:
    """Draw `num_samples` continuations of `prompt`, which begins a line.

    A text ends when `lines` lines are closed by <EOS>, or after `max_tokens` tokens. <UNK> is never
    drawn unless `allow_unk` (the others' probabilities are renormalised); in the prompt it stands
    for whatever is not in the vocabulary. A trailing space in the prompt of a word or subword model
    asks for a new word. Each sample has a random generator of its own, so sample i is the same
    however many are drawn, up to rounding. If one sample is drawn, `on_text` is called with each
    piece of its text as soon as it is final. `on_sample` is called with each sample, in order, as
    soon as it is known that not all are in vain.

    No more than `no_repeat` tokens in a row are written that stand in the text already, and no more
    than `no_copy` that stand in `training_text` (N,); the prompt counts as written. Every line must
    match the regular expression `match`, and every word be one of `words`; see `word_list`. Where
    all that leaves no token, the text ends.

    With `allow_new_words` a word model spells a new word wherever it has <UNK>; see `new_words`.

    Raises CharlmError for settings out of range, for `no_copy` without a text, and if all texts end
    where a constraint leaves no token.
    """
    require(
        1 <= num_samples <= MAX_SAMPLES,
        f"`num_samples` must be from 1 to {MAX_SAMPLES:,}, not {num_samples}",
    )
    require(max_tokens >= 1, f"`max_tokens` must be at least 1, not {max_tokens}")
    require(lines >= 1, f"`lines` must be at least 1, not {lines}")
    require(seed >= 0, f"seed must not be negative, not {seed}")
    require(
        words is None or not allow_unk, "`allow_unk` and `words` exclude each other: leave one out"
    )
    require(
        not allow_new_words or (words is None and match is None),
        "`allow_new_words` excludes `words` and `match`: leave them out",
    )
    prompt_ids, spaced = encode_prompt(tokenizer, prompt)
    banned, constraint = _constrained(tokenizer, prompt, match, words)
    new_words = _new_words(tokenizer) if allow_new_words else None
    if tokenizer.unk is not None and not (allow_unk or new_words):
        banned = np.append(banned, tokenizer.unk)
    chooser = Chooser(
        Filters(temperature, top_k, top_p, min_p, typical),
        banned,
        np.flatnonzero(~tokenizer.starts_word() & spaced),
        _guards(no_repeat, no_copy, training_text),
        constraint,
        1 if temperature == 0 else top_k,
    )
    writer = None
    if on_text and num_samples == 1:
        named = new_words.tokenizer if new_words else tokenizer
        writer = StreamWriter(named, prompt_ids, on_text, spaced)
    _, state = lm.read(lm.start(1), prompt_ids[None])
    rows = min(MAX_BATCH, rows_that_fit(lm.vocab_size))
    samples: list[Sample] = []
    told = 0  # of them, to `on_sample`
    ends: list[str] = []
    for first in range(0, num_samples, rows):
        numbers = range(first, min(first + rows, num_samples))
        if new_words is not None:
            new_words.begin()
        drawn = draw_batch(
            lm,
            state.take(np.zeros(len(numbers), np.intp)),
            prompt_ids,
            [generator_of(seed, number) for number in numbers],
            chooser,
            max_tokens,
            lines,
            writer.add if writer else None,
            new_words,
        )
        for number, (ids, logprob, why) in enumerate(drawn):
            shown, names = ids[:-1] if why == "lines" else ids, tokenizer
            if new_words is not None:
                shown, names = new_words.named(number, shown), new_words.tokenizer
            text = continuation(names, prompt_ids, shown)
            text = text.removeprefix(" ") if spaced else text
            ended = "stuck" if why == "dead end" else why
            samples.append(Sample(text, len(ids), logprob, prompt, ended, tuple(ids.tolist())))
            ends.append(why)
        if on_sample is not None and any(why != "dead end" for why in ends):
            for one in samples[told:]:
                on_sample(one)
            told = len(samples)
    if writer:
        writer.close(samples[0].text)
    if constraint is not None and all(why == "dead end" for why in ends):
        raise constraint.dead_end(np.concatenate([prompt_ids, ids]))
    return samples


def preview(lm: CausalLM[S], tokenizer: Tokenizer, seed: int) -> str:
    """A short sample: up to three lines, with the same random draws for the same seed."""
    tokens = 160 if tokenizer.level in ("char", "byte") else 40
    return sample(lm, tokenizer, max_tokens=tokens, lines=3, temperature=0.8, seed=seed)[0].text


def generator_of(seed: int, number: int) -> np.random.Generator:
    """The random generator of sample `number`, whatever the number of samples."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))


def draw_batch(
    lm: CausalLM[S],
    state: S,
    prompt_ids: Ids,
    generators: list[np.random.Generator],
    chooser: Chooser,
    max_tokens: int,
    lines: int,
    on_token: Callable[[int], None] | None = None,
    new_words: NewWords | None = None,
) -> list[tuple[Ids, float, str]]:
    """One text from each generator: its tokens, their log-probability, and why it ended.

    state: after the prompt, in every row. Rows are dropped from the batch as they end; the arrays
    below have an entry for each live row. new_words: what is written for <UNK>.
    """
    results: list[tuple[Ids, float, str]] = [(np.zeros(0, np.int64), 0.0, "")] * len(generators)
    rows = np.arange(len(generators))  # which text each batch row is
    begin = len(prompt_ids)
    texts = np.zeros((len(rows), begin + DRAWS_AT_ONCE), np.int64)  # prompt, drawn, room for more
    texts[:, :begin] = prompt_ids
    nats, closed = np.zeros(len(rows)), np.zeros(len(rows), np.int64)
    for t in range(max_tokens):
        if t % DRAWS_AT_ONCE == 0:
            draws = np.stack([generators[row].random(DRAWS_AT_ONCE) for row in rows])
        if begin + t == texts.shape[1]:
            texts = np.concatenate([texts, np.zeros_like(texts)], axis=1)
        predicted = lm.predict(state)
        ids = chooser(predicted, draws[:, t % DRAWS_AT_ONCE], texts[:, : begin + t], t == 0)
        stuck = ids < 0
        texts[:, begin + t] = ids
        nats += np.where(stuck, 0.0, predicted[np.arange(len(ids)), ids])
        closed += ids == lm.eos
        named = ids
        if new_words is not None:
            named = ids.copy()
            for k in np.flatnonzero(ids == new_words.known.unk):
                rng = np.random.default_rng(int(draws[k, t % DRAWS_AT_ONCE] * 2**53))
                named[k], spelling = new_words.draw(int(rows[k]), rng)
                nats[k] += spelling
        if on_token is not None and not stuck[0]:
            on_token(int(named[0]))
        last = t + 1 == max_tokens
        ended = (closed >= lines) | stuck | last
        if ended.any():
            for k in np.flatnonzero(ended):
                why = "lines" if closed[k] >= lines else WHY.get(int(ids[k]), "max_tokens")
                drawn = texts[k, begin : begin + t + (not stuck[k])]
                results[rows[k]] = (drawn.copy(), float(nats[k]), why)
            live = np.flatnonzero(~ended)
            if not len(live):
                break
            rows, texts, nats, closed = rows[live], texts[live], nats[live], closed[live]
            state, draws, ids = state.take(live), draws[live], ids[live]
        state = lm.advance(state, ids)
    return results


def _new_words(tokenizer: Tokenizer) -> NewWords:
    from .new_words import NewWords

    return NewWords(tokenizer)


def _guards(no_repeat: int, no_copy: int, training_text: Ids | None) -> list[Guard]:
    """What keeps a text from repeating itself and copying others; mostly nothing."""
    guards: list[Guard] = []
    if no_repeat or no_copy:
        from .seen_ngrams import NoCopy, NoRepeat

        if no_repeat:
            guards.append(NoRepeat(no_repeat))
        if no_copy:
            require(training_text is not None, "`no_copy` needs the `training_text`")
            assert training_text is not None
            guards.append(NoCopy(no_copy, training_text))
    return guards


def _constrained(
    tokenizer: Tokenizer, prompt: str, match: str | None, words: Iterable[str] | None
) -> tuple[Ids, Constrained | None]:
    """The tokens that are never allowed, and the constraint on the others; mostly none."""
    banned: Ids = np.zeros(0, np.int64)
    if match is None and words is None:
        return banned, None
    from .constraints import Constrained, check_prompt

    constraints: list[Constraint] = []
    if match is not None:
        from .match_pattern import MatchPattern

        constraints.append(MatchPattern(match))
    if words is not None:
        from .word_list import known_words, unlisted

        listed, _ = known_words(tokenizer, words)
        if tokenizer.level == "word":
            check_prompt(listed, prompt, whole=True)
            banned = unlisted(tokenizer, listed)
        else:
            constraints.append(listed)
    return banned, Constrained(constraints, tokenizer, prompt) if constraints else None
