"""How probable it is that an unknown word, or character, is this one: an open vocabulary.

A model gives all that is not in its vocabulary one probability, that of <UNK>. So the fewer words
it knows, the better it looks. With the spelling predicted too,

    P(word | before) = P(<UNK> | before) · P(spelling)

probabilities of models with different vocabularies compare, per character, as those of models of
different levels do (Mielke and Eisner 2019, "Spell Once, Summon Anywhere").

The spelling of a word is predicted by a character n-gram model of the words that the training text
had and the vocabulary has not, or of the vocabulary's rarest where it has all: both are in the
model file. A character that these do not have has the same probability as any other that Unicode
has assigned, and so has an unknown character in a model of characters.

The sum over all spellings is below 1, since those of words that are in the vocabulary count too.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np

from ..text.char_tokenizer import CharTokenizer
from ..text.tokenizer import Tokenizer
from ..text.word_tokenizer import WordTokenizer
from .kneser_ney import estimate

ORDER = 5  # of Brown's unknown words 6 takes 1 bit less each, in twice the time (decision 24)
ASSIGNED = 159_801  # characters of Unicode 17.0
CODE_POINTS = 0x110000
MAX_KNOWN = 1 << 18  # words whose spelling is remembered


class Speller:
    """P(a word's spelling, and that it ends there), by a character n-gram model of `words`."""

    def __init__(self, words: Sequence[str]) -> None:
        text = "".join(f"{word}\n" for word in words) or "\n"
        self.chars = CharTokenizer.train([text])
        ids = self.chars.encode(text)
        self.lm = estimate(ids, self.chars.vocab_size, self.chars.eos, ORDER, lines=True)
        self._known: dict[str, float] = {}

    def logprob(self, words: Sequence[str]) -> float:
        """log P of the spellings of all these words, nats."""
        return math.fsum(self.logprobs(words))

    def logprobs(self, words: Sequence[str]) -> list[float]:
        """log P of the spelling of each word, nats."""
        if len(self._known) > MAX_KNOWN:
            self._known.clear()
        new = list(dict.fromkeys(word for word in words if word not in self._known))
        seqs = [np.append(self.chars.encode(word), self.chars.eos) for word in new]
        for word, nats in zip(new, self.lm.logprobs(seqs), strict=True):
            unseen = sum(map(log_of_character, self.chars.unknown(word)))
            self._known[word] = float(nats.sum(dtype=np.float64)) + unseen
        return [self._known[word] for word in words]

    def draw(self, rng: np.random.Generator, max_chars: int) -> str:
        """A word drawn from the distribution of its spellings, cut after `max_chars` characters.

        It has only characters that were seen.
        """
        state, ids = self.lm.start(1), [0]
        for _ in range(max_chars):
            p_V = np.exp(self.lm.predict(state)[0].astype(np.float64))
            p_V[self.chars.unk] = 0
            ids[-1] = int(rng.choice(len(p_V), p=p_V / p_V.sum()))
            if ids[-1] == self.chars.eos:
                break
            state = self.lm.advance(state, np.array(ids[-1:]))
            ids.append(0)
        return self.chars.decode(ids[:-1])


def log_of_character(char: str) -> float:
    """log P that an unknown character is this one, nats; unassigned ones share the place of one."""
    nats = -math.log(ASSIGNED + 1)
    if unicodedata.category(char) in ("Cn", "Co", "Cs"):
        nats -= math.log(CODE_POINTS)
    return nats


_spellers: WeakKeyDictionary[WordTokenizer, Speller] = WeakKeyDictionary()


def speller_of(tokenizer: WordTokenizer) -> Speller:
    """How the words that a tokenizer does not know are spelled; made once."""
    if tokenizer not in _spellers:
        _spellers[tokenizer] = Speller(tokenizer.typical_unknown())
    return _spellers[tokenizer]


def log_of_spelling(tokenizer: Tokenizer, text: str) -> float:
    """log P that what the tokenizer does not know of a text is spelled as it is, nats."""
    unknown = tokenizer.unknown(text)
    if not unknown:
        return 0.0
    if not isinstance(tokenizer, WordTokenizer):
        return math.fsum(map(log_of_character, unknown))
    return speller_of(tokenizer).logprob(unknown)
