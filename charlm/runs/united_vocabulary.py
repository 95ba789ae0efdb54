"""Word models of different vocabularies, each with the words of all, or with those of a list."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from ..errors import CharlmError, require
from ..models import model_file, other_words
from ..models.family import add_prefix
from ..models.model_file import ModelFile
from ..models.spelling import speller_of
from ..text.word_tokenizer import EOS, UNK, WordTokenizer


def united(
    parts: Sequence[ModelFile], names: Sequence[str], only: Collection[str] | None = None
) -> list[ModelFile]:
    """The models with one tokenizer, which has the words of all, or those of them in `only`.

    A model gives a word that it does not know its probability of <UNK> times that of the spelling,
    and <UNK> the probabilities of the words that are left out, see `other_words`. names: of the
    models, for messages. Raises CharlmError for other levels than words, for words that are split
    or folded differently, and if no model knows a word of `only`.
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
    if only is not None:
        tokenizer = tokenizer.limited(only)
        require(tokenizer.vocab_size > 2, "`limit_vocab` has no word that a model knows")
    return [_with_words_of(tokenizer, part) for part in parts]


def _how(tokenizer: WordTokenizer) -> str:
    return f"split {tokenizer.split}{', lower case' if tokenizer.lower else ''}"


def _words(part: ModelFile, name: str) -> WordTokenizer:
    if not isinstance(part.tokenizer, WordTokenizer):
        raise CharlmError(
            f"{name} has another vocabulary, of {part.tokenizer.level}s, and cannot be mixed: make "
            "the models from the same text with the same token settings"
        )
    return part.tokenizer


def _with_words_of(tokenizer: WordTokenizer, part: ModelFile) -> ModelFile:
    """A model with the words of `tokenizer` in place of its own."""
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
        share_V[UNK] = np.log1p(-np.exp(share_V[new]).sum())
    lm = model_file.build(part)
    outer = other_words.OtherWordsLM(lm, tokenizer.eos, UNK, ids_V, share_V)
    return ModelFile(
        other_words.FAMILY.name,
        other_words.file_config(outer, part.family, part.config),
        tokenizer,
        {**outer.tensors(), **add_prefix("0.", part.tensors)},
        part.training,
    )
