"""Word frequencies in the text that a model was trained on, or in another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from ..lm import Ids
from ..text.frequencies import Frequencies
from ..text.pieces import whole_words
from ..text.source import Reading, open_text, temporary_spool
from ..text.tokenizer import Tokenizer
from ..text.word_tokenizer import EOS, UNK, WordTokenizer
from . import training_text

PIECE = 1 << 18  # tokens decoded at a time


def of_files(
    files: Sequence[str | Path], tokenizer: Tokenizer | None = None, **how: Unpack[Reading]
) -> Frequencies:
    """Of text files; how: see `source.open_text`. Raises CharlmError if they cannot be read.

    tokenizer: of a word model, whose words are counted; else what white space separates.
    """
    with temporary_spool() as spool:
        chunks = open_text(files, spool=spool, mixed=True, **how).chunks()
        if not isinstance(tokenizer, WordTokenizer):
            return Frequencies.of_text(chunks)
        counts: Counter[str] = Counter()
        for piece in whole_words(chunks):
            counts.update(tokenizer.words(piece))
        return Frequencies((word, n) for word, n in counts.items() if word != "\n")


def of_training(model: Path, tokenizer: Tokenizer, training: Mapping[str, Any]) -> Frequencies:
    """Of the text that the model file `model` was trained on.

    Words that a word model does not know count among all words, but not by name. Raises CharlmError
    where the text is not found, see `training_text.find`.
    """
    texts = training_text.streams(model, tokenizer, training)
    if isinstance(tokenizer, WordTokenizer):
        return _of_words(tokenizer, texts)
    pieces = (piece for ids in texts for piece in _pieces(ids, tokenizer.eos))
    return Frequencies.of_text(tokenizer.decode(piece) for piece in pieces)


def _of_words(tokenizer: WordTokenizer, texts: Iterable[Ids]) -> Frequencies:
    counts = np.zeros(tokenizer.vocab_size, np.int64)
    for ids in texts:
        for first in range(0, len(ids), PIECE):
            counts += np.bincount(ids[first : first + PIECE], minlength=len(counts))
    unknown = int(counts[UNK])
    counts[[EOS, UNK]] = 0
    found = np.flatnonzero(counts).tolist()
    return Frequencies(((tokenizer.token(i), int(counts[i])) for i in found), unknown)


def _pieces(ids: Ids, eos: int) -> Iterator[Ids]:
    """The text cut at line ends into pieces of about PIECE tokens."""
    ends = np.flatnonzero(ids == eos) + 1
    cuts = ends[np.flatnonzero(np.diff(ends // PIECE, prepend=0))]
    yield from np.split(ids, cuts)
