"""Word models of different vocabularies, each widened to the words of all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import CharlmError
from ..models import model_file, widened
from ..models.family import add_prefix
from ..models.model_file import ModelFile
from ..models.spelling import speller_of
from ..text.word_tokenizer import EOS, UNK, WordTokenizer


def united(parts: Sequence[ModelFile], names: Sequence[str]) -> list[ModelFile]:
    """The models with one tokenizer, which has the words of all.

    A model gives a word that it does not know its probability of <UNK> times that of the spelling,
    see `widened`. names: of the models, for messages. Raises CharlmError for other levels than
    words, and for words that are split or folded differently.
    """
    first = _words(parts[0], names[0])
    tokenizer = first
    for part, name in zip(parts[1:], names[1:], strict=True):
        other = _words(part, name)
        if (other.split, other.lower) != (first.split, first.lower):
            raise CharlmError(
                f"{names[0]} and {name} split words differently ({_how(first)}, {_how(other)}) and "
                "cannot be mixed"
            )
        tokenizer = tokenizer.united(other)
    return [_widened(part, tokenizer) for part in parts]


def _how(tokenizer: WordTokenizer) -> str:
    return f"split {tokenizer.split}{', lower case' if tokenizer.lower else ''}"


def _words(part: ModelFile, name: str) -> WordTokenizer:
    if not isinstance(part.tokenizer, WordTokenizer):
        raise CharlmError(
            f"{name} has another vocabulary, of {part.tokenizer.level}s, and cannot be mixed: make "
            "the models from the same text with the same token settings"
        )
    return part.tokenizer


def _widened(part: ModelFile, tokenizer: WordTokenizer) -> ModelFile:
    """A model with the words of `tokenizer`, which has all of its own."""
    own = part.tokenizer
    assert isinstance(own, WordTokenizer)
    if own.as_dict() == tokenizer.as_dict():
        return part
    known = {own.token(k): k for k in range(2, own.vocab_size)}
    V = tokenizer.vocab_size
    words = (tokenizer.token(k) for k in range(2, V))
    ids_V = np.array([EOS, UNK, *(known.get(word, UNK) for word in words)], np.int64)
    share_V = np.zeros(V)
    new = [k for k in range(2, V) if ids_V[k] == UNK]
    if new:
        share_V[new] = speller_of(own).logprobs([tokenizer.token(k) for k in new])
        share_V[tokenizer.unk] = np.log1p(-np.exp(share_V[new]).sum())
    lm = model_file.build(part)
    wide = widened.WidenedLM(lm, tokenizer.eos, ids_V, share_V)
    return ModelFile(
        widened.FAMILY.name,
        widened.file_config(part.family, part.config),
        tokenizer,
        {**wide.tensors(), **add_prefix("0.", part.tensors)},
        part.training,
    )
