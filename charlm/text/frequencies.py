"""How often words occur in a text, as psycholinguists give it."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Iterable

from .pieces import whole_words


class Frequencies:
    """Word frequencies on a logarithmic scale, regardless of case and of punctuation around words.

    log10 of the occurrences per million words, one added to each count, so that words that do not
    occur have a frequency too (Brysbaert and Diependaele 2013):

        log10( (count + 1) / (words + types) · 10⁶ )
    """

    def __init__(self, counts: Iterable[tuple[str, int]], others: int = 0) -> None:
        """counts: words as they are written and how often; a word may come more than once.

        others: how many words the text has besides, which are not known by name.
        """
        self.counts: Counter[str] = Counter()
        for word, n in counts:
            if key := bare(word):
                self.counts[key] += n
        self.total = self.counts.total() + others

    @classmethod
    def of_text(cls, chunks: Iterable[str]) -> Frequencies:
        """Of a text, in chunks cut anywhere; its words are what white space separates."""
        counts: Counter[str] = Counter()
        for piece in whole_words(chunks):
            counts.update(piece.split())
        return cls(counts.items())

    def __call__(self, word: str) -> float:
        """The frequency of a word; NaN for punctuation alone, and if the text has no words."""
        key = bare(word)
        if not key or not self.total:
            return math.nan
        return math.log10((self.counts[key] + 1) / (self.total + len(self.counts)) * 1e6)


def bare(word: str) -> str:
    """A word without case and without the punctuation and symbols around it; "" if it is that."""
    first, last = 0, len(word)
    while first < last and _is_mark(word[first]):
        first += 1
    while first < last and _is_mark(word[last - 1]):
        last -= 1
    return word[first:last].casefold()


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] in "PSZ"
