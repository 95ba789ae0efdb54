"""Properties of a text that a hidden unit may track, token by token."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..lm import Ids, Mask
from ..text.tokenizer import Tokenizer

Floats: TypeAlias = npt.NDArray[np.float64]

PENN_QUOTES = {"``": True, "''": False}  # Penn Treebank quotes: whether they open


def pieces(tokenizer: Tokenizer, ids: Ids) -> list[str]:
    """What each token adds to the text; words without the spaces between them."""
    if tokenizer.level == "byte":
        utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        data = ["\n" if i == tokenizer.eos else utf8.decode(bytes([i])) for i in ids.tolist()]
        return data
    names = {
        i: "\n" if i == tokenizer.eos else tokenizer.token(i).replace("▁", " ")
        for i in np.unique(ids).tolist()
    }
    return [names[i] for i in ids.tolist()]


def properties(tokens: Sequence[str], starts: Mask) -> dict[str, Floats]:
    """By name, for each of T tokens: whether it is inside quotes, its position in line and word, …

    tokens: what each adds to the text. starts: whether it begins a word (or is the space before
    it).
    """
    ends_line = [piece.endswith("\n") for piece in tokens]
    last = np.append(starts[1:], True)  # a word begins after it
    listed: dict[str, Sequence[float]] = {
        "inside quotes": list(inside_quotes(tokens)),
        "position in line": _since(ends_line),
        "position in word": _since(starts.tolist()),
        "end of word": (last & ~starts).tolist() if not starts.all() else [0.0] * len(tokens),
        "capital letter": [piece.strip()[:1].isupper() for piece in tokens],
    }
    return {name: np.array(values, np.float64) for name, values in listed.items()}


def inside_quotes(tokens: Sequence[str]) -> Iterator[float]:
    """1 from an opening double quote to before the one that closes it; an empty line ends all."""
    inside, line = False, ""
    for piece in tokens:
        if piece in PENN_QUOTES:
            inside = PENN_QUOTES[piece]
        for char in piece:
            if char == '"' or (char == "“" and inside):
                inside = not inside
            elif char in "“„«":
                inside = True
            elif char in "”»":
                inside = False
            if char == "\n":
                inside, line = inside and bool(line.strip()), ""
            else:
                line += char
        yield float(inside)


def _since(begins: Sequence[bool]) -> list[float]:
    """Tokens since the last beginning; 0 at the beginning itself."""
    return list(accumulate(begins, lambda n, b: 0.0 if b else n + 1, initial=-1.0))[1:]
