"""The byte tokenizer: reads any file, and nothing is out of vocabulary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..config import TokenizerConfig
from ..lm import Ids, Mask
from .pieces import utf8


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
    settings: frozenset[str] = frozenset()

    @classmethod
    def from_text(cls, config: TokenizerConfig, chunks: Iterable[str]) -> ByteTokenizer:
        """The same for every text."""
        return cls()

    def encode(self, text: str) -> Ids:
        data = np.frombuffer(utf8(text), np.uint8)
        ids = data.astype(np.uint16)
        np.putmask(ids, data == 10, self.eos)
        return ids

    def decode(self, ids: Ids | Sequence[int]) -> str:
        data = np.array(ids, np.int64)
        data[data == self.eos] = 10
        return data.astype(np.uint8).tobytes().decode("utf-8", "surrogateescape")

    def unknown(self, text: str) -> Sequence[str]:
        return ()

    def token(self, id: int) -> str:
        return "</s>" if id == self.eos else chr(id) if id < 128 else f"0x{id:02X}"

    def starts_word(self) -> Mask:
        """(V,) True for ASCII whitespace and <EOS>."""
        return np.array([id == self.eos or (id < 128 and chr(id).isspace()) for id in range(257)])

    def as_dict(self) -> dict[str, Any]:
        return {"level": "byte"}

    def extended(self, config: TokenizerConfig, chunks: Iterable[str]) -> ByteTokenizer:
        return self

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ByteTokenizer:
        return cls()
