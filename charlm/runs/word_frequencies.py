"""Word frequencies in the text that a model was trained on, or in another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from ..lm import Ids
from ..text.frequencies import Frequencies
from ..text.source import Reading, open_text, temporary_spool
from ..text.tokenizer import Tokenizer
from . import training_text

PIECE = 1 << 18  # tokens decoded at a time


def of_files(files: Sequence[str | Path], **how: Unpack[Reading]) -> Frequencies:
    """Of text files; how: see `source.open_text`. Raises CharlmError if they cannot be read."""
    with temporary_spool() as spool:
        return Frequencies.of_text(open_text(files, spool=spool, mixed=True, **how).chunks())


def of_training(model: Path, tokenizer: Tokenizer, training: Mapping[str, Any]) -> Frequencies:
    """Of the text that the model file `model` was trained on.

    Words that a word model does not know count among all words, but not by name. Raises CharlmError
    where the text is not found, see `training_text.find`.
    """
    ids = training_text.find(model, tokenizer, training)
    if tokenizer.level == "word":
        return _of_words(tokenizer, ids)
    return Frequencies.of_text(tokenizer.decode(piece) for piece in _pieces(ids, tokenizer.eos))


def _of_words(tokenizer: Tokenizer, ids: Ids) -> Frequencies:
    counts = np.bincount(ids, minlength=tokenizer.vocab_size)
    unknown = 0 if tokenizer.unk is None else int(counts[tokenizer.unk])
    counts[[tokenizer.eos] if tokenizer.unk is None else [tokenizer.eos, tokenizer.unk]] = 0
    found = np.flatnonzero(counts).tolist()
    return Frequencies(((tokenizer.token(i), int(counts[i])) for i in found), unknown)


def _pieces(ids: Ids, eos: int) -> Iterator[Ids]:
    """The text cut at line ends into pieces of about PIECE tokens."""
    ends = np.flatnonzero(ids == eos) + 1
    cuts = ends[np.flatnonzero(np.diff(ends // PIECE, prepend=0))]
    yield from np.split(ids, cuts)
