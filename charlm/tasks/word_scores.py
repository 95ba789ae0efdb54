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

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ..lm import Ids, Mask, Nats
from ..measures import bits, surprisal
from ..models.logspace import logsumexp
from ..text.tokenizer import Tokenizer
from ..text.word_tokenizer import WordTokenizer


@dataclass(frozen=True)
class WordScore:
    """A word and its probability as a whole word."""

    word: str  # as it stands in the text; of the sentence end, the name of its token
    logprob: float  # nats
    start: int = 0  # characters of the text before it
    end: int = 0  # and with it
    oov: int = 0  # of its tokens, those that are <UNK>
    entropy: float = math.nan  # nats, of the next token, before the word
    entropy_after: float = math.nan  # and after it

    @property
    def surprisal(self) -> float:
        """−log2 P(word), bits."""
        return surprisal(self.logprob)

    @property
    def entropy_reduction(self) -> float:
        """By how much the word makes the next token more certain, bits: max(0, H before − H after).

        (Hale 2006, with the entropy of the next token in place of that of all that may follow.)
        NaN for the sentence end.
        """
        reduction = bits(self.entropy - self.entropy_after)
        return 0.0 if reduction < 0 else reduction

    def as_dict(self) -> dict[str, Any]:
        return {
            "word": self.word,
            "logprob": self.logprob,
            "surprisal": self.surprisal,
            "start": self.start,
            "end": self.end,
            "oov": self.oov,
            "entropy": bits(self.entropy),
            "entropy_reduction": self.entropy_reduction,
        }


def boundary_mass(predicted_BV: Nats, starts_word_V: Mask) -> Nats:
    """How probable it is that the next token begins a word or closes the line: log B, (B,)."""
    if starts_word_V.all():
        return np.zeros(len(predicted_BV))
    return logsumexp(predicted_BV[:, starts_word_V].astype(np.float64))


def word_scores(
    tokenizer: Tokenizer, text: str, ids: Ids, nats: Nats, boundary: Nats, entropy: Nats
) -> tuple[WordScore, ...]:
    """The words of `text` and, if `ids` ends with it, the closing <EOS>, in order.

    `ids` (N,) are the tokens of `text`, `nats` (N,) their log-probabilities, and `boundary`
    (N+1,) is log B before each of them and after the last (not used if the last is <EOS>).
    `entropy` (N+1,) is that of the distributions that predict each and what follows the last, nats.
    """
    begins = tokenizer.starts_word()[ids]
    bounds = [0, *(int(n) for n in np.flatnonzero(begins) if n > 0), len(ids)]
    logprob = np.concatenate([[0.0], np.cumsum(nats, dtype=np.float64)])  # up to each position
    logprob[1:] += boundary[1:]  # and with a word boundary there
    found: list[WordScore] = []
    names = Names(tokenizer, text)
    first = 0  # start of the word, including separators before it
    for start, end in pairwise(bounds):
        closing = bool(end == len(ids) and end > start and ids[start] == tokenizer.eos)
        word = text[first:end] if tokenizer.level == "char" else tokenizer.decode(ids[first:end])
        word = tokenizer.token(tokenizer.eos) if closing else word.strip()
        if not word and (end < len(ids) or start == end):
            continue
        total = logprob[end] - logprob[first] - (boundary[end] if closing else 0.0)
        oov = 0 if tokenizer.unk is None else int((ids[first:end] == tokenizer.unk).sum())
        place = (len(text),) * 2 if closing else names.place(word)
        shown = word if closing else text[slice(*place)]
        around = float(entropy[first]), float(entropy[end])
        found.append(WordScore(shown, float(total), *place, oov, *around))
        first = end
    return tuple(found)


class Names:
    """Where the words of a text stand in it, asked for in order."""

    def __init__(self, tokenizer: Tokenizer, text: str) -> None:
        self.text, self.at = text, 0
        written = tokenizer.written(text) if isinstance(tokenizer, WordTokenizer) else ()
        self.originals = iter(written)

    def place(self, word: str) -> tuple[int, int]:
        """First and last character of the next word, which the tokenizer calls `word`."""
        word = next(self.originals, word)
        start = max(self.text.find(word, self.at), self.at)
        self.at = min(start + len(word), len(self.text))
        return start, self.at
