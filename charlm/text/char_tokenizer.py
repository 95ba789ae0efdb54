"""The character tokenizer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..config import TokenizerConfig
from ..errors import CharlmError
from ..lm import Ids, Mask
from ..system.parallel import map_in_order
from .pieces import check_vocab_size, smallest_unsigned


class CharTokenizer:
    """Each Unicode character is a token; newline is <EOS>.

    Id 0 is the newline, 1 is <UNK>, then characters by decreasing frequency, ties by code point.
    """

    level = "char"
    eos = 0
    unk: int | None = 1
    lossless = True
    settings = frozenset({"vocab_size", "min_count"})

    def __init__(self, codepoints: Sequence[int]):
        """`codepoints` are the characters from id 2 on."""
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
    def from_text(cls, config: TokenizerConfig, chunks: Iterable[str]) -> CharTokenizer:
        """`train` with the settings of `config`. Raises CharlmError for too small a vocabulary."""
        check_vocab_size(config)
        return cls.train(chunks, config.vocab_size, config.min_count)

    @classmethod
    def train(cls, chunks: Iterable[str], vocab_size: int = 0, min_count: int = 1) -> CharTokenizer:
        """Keep characters seen at least `min_count` times; at most `vocab_size` tokens in all."""
        counts = np.zeros(0x110000, np.int64)
        for found in map_in_order(_count, chunks):
            counts[: len(found)] += found
        counts[10] = 0
        chars = np.flatnonzero(counts >= min_count)
        chars = chars[np.argsort(-counts[chars], kind="stable")]
        return cls((chars[: vocab_size - 2] if vocab_size else chars).tolist())

    def encode(self, text: str) -> Ids:
        if self._ascii and text.isascii():
            return np.frombuffer(bytearray(text, "ascii").translate(self._ascii), np.uint8)
        return self._table.take(codepoints(text))

    def decode(self, ids: Ids | Sequence[int]) -> str:
        return "".join(map(self._names.__getitem__, np.asarray(ids).tolist()))

    def unknown(self, text: str) -> Sequence[str]:
        return [text[k] for k in np.flatnonzero(self.encode(text) == self.unk)]

    def token(self, id: int) -> str:
        return "</s>" if id == self.eos else self._names[id]

    def starts_word(self) -> Mask:
        """(V,) True for whitespace, <EOS> included."""
        return np.array([name.isspace() for name in self._names])

    def as_dict(self) -> dict[str, Any]:
        return {"level": "char", "codepoints": [ord(name) for name in self._names[2:]]}

    def extended(self, config: TokenizerConfig, chunks: Iterable[str]) -> CharTokenizer:
        ours, theirs = self._names[2:], CharTokenizer.from_text(config, chunks)._names[2:]
        return CharTokenizer(list(map(ord, dict.fromkeys(ours + theirs))))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CharTokenizer:
        points = data["codepoints"]
        if not isinstance(points, list) or not all(type(point) is int for point in points):
            raise ValueError("codepoints are not a list of whole numbers")
        return cls(points)


def _count(text: str) -> npt.NDArray[np.int64]:
    """How often each code point occurs, up to the largest that does."""
    points = codepoints(text)
    if points.dtype == np.uint8 and len(points) % 2 == 0:  # two at a time takes half as long
        pairs = np.bincount(points.view(np.uint16), minlength=1 << 16).reshape(256, 256)
        return np.asarray(pairs.sum(0) + pairs.sum(1))
    return np.asarray(np.bincount(points))


def codepoints(text: str) -> npt.NDArray[np.unsignedinteger[Any]]:
    """(N,) the code points of `text`, lone surrogates included."""
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), np.uint8)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
