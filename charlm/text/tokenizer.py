"""The tokenizer interface, and the class that implements each level.

To add one, write `x_tokenizer.py` with a class `XTokenizer` and add its level to `config.LEVELS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from importlib import import_module
from typing import Any, ClassVar, Protocol

from ..config import LEVELS, TokenizerConfig
from ..errors import CharlmError
from ..lm import Ids, Mask
from ..system.parallel import map_in_order
from .pieces import joined, whole_words


class Tokenizer(Protocol):
    """Text ↔ token ids.

    Laws: two lines are encoded as the first, <EOS>, the second; where `lossless`,
    ``decode(encode(x)) == x`` for every text x in which no token is <UNK> (and whose lone
    surrogates, if any, come from decoding a file).
    """

    level: str  # char | word | byte | subword
    vocab_size: int  # V, <EOS> and <UNK> included
    eos: int  # closes a line
    unk: int | None  # stands for whatever is not in the vocabulary; None: everything is
    lossless: bool

    def encode(self, text: str) -> Ids:
        """Ids (N,) in the smallest sufficient unsigned type; <EOS> for each newline, none added.

        May be called in several threads at once.
        """
        ...

    def decode(self, ids: Ids | Sequence[int]) -> str:
        """The text of `ids`: <EOS> as a newline, <UNK> as "<UNK>"."""
        ...

    def unknown(self, text: str) -> Sequence[str]:
        """What `encode` makes <UNK> of, in order."""
        ...

    def token(self, id: int) -> str:
        """The name to print: "a", "</s>" for <EOS>, "<UNK>", "0xE4" for a byte, "▁the"."""
        ...

    def starts_word(self) -> Mask:
        """(V,) True for tokens that begin a new word or close the line."""
        ...

    def as_dict(self) -> dict[str, Any]:
        """The whole tokenizer as plain values for JSON."""
        ...

    def extended(self, config: TokenizerConfig, chunks: Iterable[str]) -> Tokenizer:
        """The vocabulary and, after it, what a text has besides, chosen as `config` says.

        Bytes and subwords can write any text, and stay as they are; the text is not read.
        """
        ...


class TokenizerClass(Protocol):
    """A tokenizer class: how one is built from a text, and read back from a file."""

    settings: ClassVar[frozenset[str]]  # the fields of TokenizerConfig that it uses

    def from_text(self, config: TokenizerConfig, chunks: Iterable[str]) -> Tokenizer:
        """A tokenizer with the vocabulary of a text, read once, in bounded memory."""
        ...

    def from_dict(self, data: Mapping[str, Any]) -> Tokenizer:
        """The tokenizer that `as_dict` described."""
        ...


def tokenizer_class(level: str) -> TokenizerClass:
    """The class for a level: CharTokenizer of char_tokenizer.py for "char", and so on.

    Imported when first needed, since SentencePiece takes a while.
    """
    module = import_module(f".{level}_tokenizer", __package__)
    cls: TokenizerClass = getattr(module, f"{level.capitalize()}Tokenizer")
    return cls


def build(config: TokenizerConfig, chunks: Iterable[str]) -> Tokenizer:
    """A tokenizer with the vocabulary of the training text `chunks`, read once, in bounded memory.

    Raises CharlmError for settings that make no sense at this level.
    """
    cls, defaults = tokenizer_class(config.level), TokenizerConfig(config.level)
    for field in fields(config):
        changed = getattr(config, field.name) != getattr(defaults, field.name)
        if changed and field.name not in {"level", "split", *cls.settings}:
            raise CharlmError(
                f"`{field.name}` has no meaning at level {config.level}: leave it out."
            )
    return cls.from_text(config, chunks)


def from_dict(data: Mapping[str, Any]) -> Tokenizer:
    """The tokenizer that `as_dict` described. Raises CharlmError if `data` is damaged."""
    try:
        level = data["level"]
        if level in LEVELS:
            return tokenizer_class(level).from_dict(data)
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise CharlmError(f"the tokenizer is damaged: {error!r}. Train again.") from None
    raise CharlmError(f"unknown level {level!r}: made by a newer charlm?")


def encode_chunks(tokenizer: Tokenizer, chunks: Iterable[str]) -> Iterator[Ids]:
    """Ids of a text given in chunks, as if encoded all at once (but see `whole_words`).

    Chunks are taken one at a time, when their ids are wanted.
    """
    return map(tokenizer.encode, encodable(tokenizer, chunks))


def encode_in_bulk(tokenizer: Tokenizer, chunks: Iterable[str]) -> Iterator[Ids]:
    """The same ids, faster: words and subwords in threads, which take chunks in advance.

    Characters and bytes are looked up in less time than it takes to hand a chunk to a thread.
    """
    pieces = encodable(tokenizer, chunks)
    if tokenizer.level in ("char", "byte"):
        return map(tokenizer.encode, pieces)
    return map_in_order(tokenizer.encode, joined(pieces) if tokenizer.level == "word" else pieces)


def encodable(tokenizer: Tokenizer, chunks: Iterable[str]) -> Iterable[str]:
    """The same text in chunks that do not cut what the tokenizer encodes as a whole."""
    return chunks if tokenizer.level in ("char", "byte") else whole_words(chunks)
