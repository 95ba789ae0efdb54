"""From text to token ids and back, at four levels: characters, words, bytes and subwords."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..config import TokenizerConfig
from ..errors import CharlmError
from ..lm import Ids, Mask
from .source import smallest_unsigned, utf8, whole_words
from .word_tokenizer import WordTokenizer


class Tokenizer(Protocol):
    """Text ↔ token ids.

    Laws: two lines are encoded as the one, <EOS>, the other; where `lossless`,
    ``decode(encode(x)) == x`` for every text x in which no token is <UNK> (and whose lone
    surrogates, if any, are what decoding a file gives).
    """

    level: str  # char | word | byte | subword
    vocab_size: int  # V, <EOS> and <UNK> included
    eos: int  # closes a line
    unk: int | None  # stands for whatever is not in the vocabulary; None: there is no such thing
    lossless: bool

    def encode(self, text: str) -> Ids:
        """Ids (N,) in the smallest sufficient unsigned type; <EOS> for each newline, none added."""
        ...

    def decode(self, ids: Ids | Sequence[int]) -> str:
        """The text of `ids`: <EOS> as a newline, <UNK> as "<UNK>"."""
        ...

    def token(self, id: int) -> str:
        """The name to print: "a", "</s>" for <EOS>, "<UNK>", "0xE4" for a byte, "▁the"."""
        ...

    def starts_word(self) -> Mask:
        """(V,) True for tokens that begin a new word or close the line."""
        ...

    def as_dict(self) -> dict[str, Any]:
        """All there is to it, in plain values for JSON."""
        ...


class CharTokenizer:
    """Each Unicode character is a token; newline is <EOS>.

    Id 0 is the newline, 1 is <UNK>, then characters by falling frequency, equals by code point.
    """

    level = "char"
    eos = 0
    unk: int | None = 1
    lossless = True

    def __init__(self, codepoints: Sequence[int]):
        """`codepoints` are the kinds from id 2 on."""
        self.vocab_size = len(codepoints) + 2
        dtype = smallest_unsigned(self.vocab_size)
        self._names = ["\n", "<UNK>", *map(chr, codepoints)]
        self._table = np.full(0x110000, self.unk, dtype)  # code point → id
        self._table[list(codepoints)] = np.arange(2, self.vocab_size)
        self._table[10] = self.eos
        self._ascii = self._table[:256].tobytes() if dtype is np.uint8 else None
        if len(set(self._names)) != len(self._names):
            raise CharlmError("the character list is damaged: a character occurs twice")

    @classmethod
    def train(cls, chunks: Iterable[str], vocab_size: int = 0, min_count: int = 1) -> CharTokenizer:
        """Keep kinds seen at least `min_count` times, and at most `vocab_size` in all."""
        counts = np.zeros(0x110000, np.int64)
        for chunk in chunks:
            np.add.at(counts, codepoints(chunk), 1)
        counts[10] = 0
        kinds = np.flatnonzero(counts >= min_count)
        kinds = kinds[np.argsort(-counts[kinds], kind="stable")]
        return cls((kinds[: vocab_size - 2] if vocab_size else kinds).tolist())

    def encode(self, text: str) -> Ids:
        if self._ascii and text.isascii():
            return np.frombuffer(bytearray(text, "ascii").translate(self._ascii), np.uint8)
        return self._table.take(codepoints(text))

    def decode(self, ids: Ids | Sequence[int]) -> str:
        return "".join(map(self._names.__getitem__, np.asarray(ids).tolist()))

    def token(self, id: int) -> str:
        return "</s>" if id == self.eos else self._names[id]

    def starts_word(self) -> Mask:
        """(V,) True for white space, <EOS> included."""
        return np.array([name.isspace() for name in self._names])

    def as_dict(self) -> dict[str, Any]:
        return {"level": "char", "codepoints": [ord(name) for name in self._names[2:]]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CharTokenizer:
        points = data["codepoints"]
        if not isinstance(points, list) or not all(type(point) is int for point in points):
            raise ValueError("codepoints are not a list of whole numbers")
        return cls(points)


class ByteTokenizer:
    """Each byte of the UTF-8 text is a token, 256 is <EOS>: lossless for any file.

    A newline is encoded as <EOS>, so 10 never occurs; both are decoded to it. Bytes that are
    not UTF-8 live in strings as lone surrogates (PEP 383).
    """

    level = "byte"
    vocab_size = 257
    eos = 256
    unk: int | None = None
    lossless = True

    def encode(self, text: str) -> Ids:
        data = np.frombuffer(utf8(text), np.uint8)
        ids = data.astype(np.uint16)
        np.putmask(ids, data == 10, self.eos)
        return ids

    def decode(self, ids: Ids | Sequence[int]) -> str:
        data = np.array(ids, np.int64)
        data[data == self.eos] = 10
        return data.astype(np.uint8).tobytes().decode("utf-8", "surrogateescape")

    def token(self, id: int) -> str:
        return "</s>" if id == self.eos else chr(id) if id < 128 else f"0x{id:02X}"

    def starts_word(self) -> Mask:
        """(V,) True for ASCII white space and <EOS>."""
        return np.array([id == self.eos or (id < 128 and chr(id).isspace()) for id in range(257)])

    def as_dict(self) -> dict[str, Any]:
        return {"level": "byte"}


def build(config: TokenizerConfig, chunks: Iterable[str]) -> Tokenizer:
    """A tokenizer with the vocabulary of the training text `chunks`, read once, in bounded memory.

    Raises CharlmError for settings that make no sense at this level.
    """
    _refuse_idle_settings(config)
    size, least = config.vocab_size, config.min_count
    if config.level == "byte":
        return ByteTokenizer()
    if config.level == "char":
        return CharTokenizer.train(chunks, size, least)
    if config.level == "word":
        words = whole_words(chunks)
        return WordTokenizer.train(words, size, least, config.split, config.lower)
    from .subword_tokenizer import (
        SubwordTokenizer,  # here, because importing SentencePiece takes a while
    )

    return SubwordTokenizer.train(whole_words(chunks), size, config.algorithm)


def from_dict(data: Mapping[str, Any]) -> Tokenizer:
    """The tokenizer that `as_dict` described. Raises CharlmError where `data` is damaged."""
    try:
        level = data["level"]
        if level == "char":
            return CharTokenizer.from_dict(data)
        if level == "word":
            return WordTokenizer.from_dict(data)
        if level == "byte":
            return ByteTokenizer()
        if level == "subword":
            from .subword_tokenizer import SubwordTokenizer

            return SubwordTokenizer.from_dict(data)
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise CharlmError(f"the tokenizer is damaged: {error!r}. Train again.") from None
    raise CharlmError(f"unknown level {level!r}: made by a newer charlm?")


def encode_chunks(tokenizer: Tokenizer, chunks: Iterable[str]) -> Iterator[Ids]:
    """Ids of a text that comes in chunks, as if encoded in one go (but see `whole_words`)."""
    whole = tokenizer.level in ("char", "byte")
    return map(tokenizer.encode, chunks if whole else whole_words(chunks))


def codepoints(text: str) -> npt.NDArray[np.unsignedinteger[Any]]:
    """(N,) the code points of `text`, lone surrogates included."""
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), np.uint8)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def _refuse_idle_settings(config: TokenizerConfig) -> None:
    idle = {
        "vocab_size": config.vocab_size and config.level == "byte",
        "min_count": config.min_count > 1 and config.level not in ("char", "word"),
        "lower": config.lower and config.level != "word",
        "algorithm": config.algorithm != "unigram" and config.level != "subword",
    }
    for name, wrong in idle.items():
        if wrong:
            raise CharlmError(f"`{name}` means nothing at level {config.level}: leave it out.")
    if config.level in ("char", "word") and 0 < config.vocab_size < 3:
        raise CharlmError("`vocab_size` must be at least 3, since <EOS> and <UNK> are among them.")
