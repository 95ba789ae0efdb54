"""The probability of a word, from a model of characters, bytes, subwords or words.

A model of smaller tokens spells a word out, and the word's probability is not just the product over
its spelling: "the" is also how "there" begins. What makes it the word "the" is that a word boundary
follows. With B(n) = the probability, before token n, that the next token begins a new word or
closes the line (`Tokenizer.starts_word`), the word spelled by tokens i … j−1 has

    log P(word | before) = Σ_n log p(token n | tokens before n) + log B(j) − log B(i)

since B(i) has already been counted, as the end of the word before. Pimentel and Meister
(2024), "How to Compute the Probability of a Word"; Oh and Schuler (2024), "Leading Whitespaces of
Language Models' Subword Vocabulary Pose a Confound for Calculating Word Probabilities".

Conventions:
  * A separator belongs to the word that follows it: " cat" after "the".
  * The first word has B = 1, as nothing precedes it. (A subword model gives a little probability to
    sentences that begin inside a word; it is not redistributed, so that the words'
    log-probabilities add up.)
  * <EOS> is the last "word": log p(<EOS>) − log B. The words and <EOS> add up to the sentence's
    total exactly. Without <EOS>, their sum is the probability of the words *as whole words*,
    the total plus log B after the last (and trailing spaces are a last, empty word).
  * Repeated, leading and trailing spaces are part of the word (or <EOS>) that follows them, so the
    words are those of `str.split`.
  * A word model's words are single tokens, and B = 1 everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ..lm import Ids, Mask, Nats
from ..measures import surprisal
from ..models.logspace import logsumexp
from ..text.tokenizer import Tokenizer


@dataclass(frozen=True)
class WordScore:
    """A word and its probability as a whole word."""

    word: str
    logprob: float  # nats

    @property
    def surprisal(self) -> float:
        """−log2 P(word), bits."""
        return surprisal(self.logprob)

    def as_dict(self) -> dict[str, Any]:
        return {"word": self.word, "logprob": self.logprob, "surprisal": self.surprisal}


def boundary_mass(predicted_BV: Nats, starts_word_V: Mask) -> Nats:
    """How probable it is that the next token begins a word or closes the line: log B, (B,)."""
    if starts_word_V.all():
        return np.zeros(len(predicted_BV))
    return logsumexp(predicted_BV[:, starts_word_V].astype(np.float64))


def word_scores(
    tokenizer: Tokenizer, text: str, ids: Ids, nats: Nats, boundary: Nats
) -> tuple[WordScore, ...]:
    """The words of `text` and, if `ids` ends with it, the closing <EOS>, in order.

    `ids` (N,) are the tokens of `text`, `nats` (N,) their log-probabilities, and `boundary`
    (N+1,) is log B before each of them and after the last (not used if the last is <EOS>).
    """
    begins = tokenizer.starts_word()[ids]
    bounds = [0, *(int(n) for n in np.flatnonzero(begins) if n > 0), len(ids)]
    logprob = np.concatenate([[0.0], np.cumsum(nats, dtype=np.float64)])  # up to each position
    logprob[1:] += boundary[1:]  # and with a word boundary there
    spelled: list[tuple[str, float]] = []
    first = 0  # start of the word, including separators before it
    for start, end in pairwise(bounds):
        closing = bool(end == len(ids) and end > start and ids[start] == tokenizer.eos)
        word = text[first:end] if tokenizer.level == "char" else tokenizer.decode(ids[first:end])
        word = tokenizer.token(tokenizer.eos) if closing else word.strip()
        if not word and (end < len(ids) or start == end):
            continue
        total = logprob[end] - logprob[first] - (boundary[end] if closing else 0.0)
        spelled.append((word, float(total)))
        first = end
    return tuple(WordScore(*pair) for pair in _named(tokenizer, text, spelled))


def _named(
    tokenizer: Tokenizer, text: str, spelled: list[tuple[str, float]]
) -> list[tuple[str, float]]:
    """The words of a word model, with each <UNK> replaced by the word in `text`."""
    originals = text.split()
    if tokenizer.level != "word" or len(originals) not in (len(spelled), len(spelled) - 1):
        return spelled
    unknown = None if tokenizer.unk is None else tokenizer.token(tokenizer.unk)
    names = [*originals, *(word for word, _ in spelled[len(originals) :])]
    return [
        (name if word == unknown else word, total)
        for name, (word, total) in zip(names, spelled, strict=True)
    ]
