"""Words that a sampler spells where a model of words has <UNK>."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from ..errors import CharlmError
from ..lm import Ids
from ..models.spelling import speller_of
from ..text.tokenizer import Tokenizer
from ..text.word_tokenizer import UNK, WordTokenizer

MAX_CHARS = 40  # of a new word
TRIES = 100  # until a spelling is that of no known word


class NewWords:
    """Draws new words for the texts of a batch, and names them: each gets an id of its own."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Raises CharlmError for a tokenizer that is not one of words."""
        if not isinstance(tokenizer, WordTokenizer):
            raise CharlmError(
                "`allow_new_words` is for word models: others write new words without it"
            )
        self.speller = speller_of(tokenizer)
        self.known, self.tokenizer = tokenizer, tokenizer.growing()
        self.drawn: dict[int, list[int]] = defaultdict(list)  # ids, by number of the text

    def begin(self) -> None:
        """Of another batch: texts are numbered from 0 again."""
        self.drawn.clear()

    def draw(self, text: int, rng: np.random.Generator) -> tuple[int, float]:
        """The id of a new word in a text, and log P of its spelling, nats."""
        for _ in range(TRIES):
            word = self.speller.draw(rng, MAX_CHARS)
            if word and len(self.known.unknown(word)) == 1:
                id = self.tokenizer.add(word)
                self.drawn[text].append(id)
                return id, self.speller.logprob([word])
        return UNK, 0.0

    def named(self, text: int, ids_T: Ids) -> Ids:
        """The same tokens, with each <UNK> replaced by the word that was drawn for it."""
        named_T = np.array(ids_T)
        places = np.flatnonzero(named_T == UNK)[: len(self.drawn[text])]
        named_T[places] = self.drawn[text]
        return named_T
