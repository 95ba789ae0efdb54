"""Arrays as bytes that a page unpacks and that compress well; `page/unpack.js` is the other side.

What a spec says (a JSON object each):

    {"how": "f32", "at": 96, "size": 12}       numbers in single precision
    {"how": "u8" | "u16" | "u32", …}            whole numbers from 0
    {"how": "rows", "codes": …, "units": …}     a matrix: units[row] · (codes − LEVELS)
    {"how": "coded", "codes": …, "book": …}     numbers of which many are the same: book[codes]

Numbers of several bytes lie in planes: the lowest bytes of all of them, then the next. The highest
bytes are much alike, and so compress.
"""

from __future__ import annotations

import zlib
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..models.ngram import ABSENT, START_NATS, NgramLM

Spec: TypeAlias = dict[str, Any]
Floats: TypeAlias = npt.NDArray[np.floating[Any]]
Whole: TypeAlias = npt.NDArray[np.int64]

STEP = 0.0005  # nats that codes of log-probabilities are apart
LEVELS = 16383  # of a weight on either side of 0, the largest of its row having the last one
REST = np.nan  # in a book: what the others of a context leave


class Packer:
    """Collects arrays; each becomes a spec that says where it is."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def floats(self, values: Floats) -> Spec:
        """Numbers in single precision."""
        return self._planes("f32", values.astype("<f4"))

    def matrix(self, values: Floats) -> Spec:
        """A matrix, (N, K), its rows rounded to whole numbers of a unit each: 15 bits a number."""
        largest = abs(values).max(axis=1, initial=0)
        units = (np.where(largest > 0, largest, 1) / LEVELS).astype(np.float32)
        codes = np.round(values / units[:, None]) + LEVELS
        return {
            "how": "rows",
            "codes": self.whole(codes.astype(np.int64).ravel()),
            "units": self.floats(units),
        }

    def whole(self, values: Whole) -> Spec:
        """Whole numbers from 0."""
        most = int(values.max(initial=0))
        how, kind = next((h, k) for h, k in WHOLE.items() if most <= np.iinfo(k).max)
        return self._planes(how, values.astype(kind))

    def coded(self, values: Floats) -> Spec:
        """Numbers by their places in a book, in which the most frequent come first."""
        book, place, times = np.unique(values, return_inverse=True, return_counts=True)
        order = np.argsort(-times, kind="stable")
        rank = np.empty(len(book), np.int64)
        rank[order] = np.arange(len(book))
        return {
            "how": "coded",
            "codes": self.whole(rank[place]),
            "book": self.floats(book[order]),
        }

    def deflated(self, head: bytes) -> bytes:
        """All arrays after a head, whose length in four bytes comes first; compressed."""
        parts = [len(head).to_bytes(4, "little"), head, *self._parts]
        return zlib.compress(b"".join(parts), 9)

    def _planes(self, how: str, values: npt.NDArray[Any]) -> Spec:
        flat = np.ascontiguousarray(values).ravel()
        data = flat.view(np.uint8).reshape(len(flat), values.itemsize).T.tobytes()
        spec = {"how": how, "at": self._size, "size": len(flat)}
        self._parts.append(data)
        self._size += len(data)
        return spec


WHOLE = {"u8": "<u1", "u16": "<u2", "u32": "<u4"}


def pack_ngram(lm: NgramLM, packer: Packer) -> Spec:
    """An n-gram model, as a tree: of each n-gram how many words follow it, and these words.

    Where the shorter n-grams are mixed in (`shares`: Kneser-Ney, Witten-Bell), probabilities and
    backoffs are written as what the model was made of, which takes a third of the space:

        P(w | c) = s(w | c) + β(c) P(w | c′)        Σ_w s(w | c) + β(c) = 1

    log s and, where words follow, log (β / (1 − β)), to STEP; the last s of a context is what the
    others leave, if that is near enough. In other models log P and log β are written, to STEP.
    """
    first = lm.orders[0]
    suffixes, shares = _suffixes(lm), True
    found = []
    for k in range(1, lm.order):
        order, below = lm.orders[k], lm.orders[k - 1]
        prefix, words = np.divmod(order.keys, lm.base)
        children = np.bincount(prefix, minlength=len(below.keys))
        beta = np.exp(below.backoff[children > 0].astype(np.float64))
        share = np.zeros(len(words))
        if suffixes[k] is not None:
            lower = np.exp(below.nats[suffixes[k]].astype(np.float64))
            mixed_in = np.exp(below.backoff.astype(np.float64))[prefix] * lower
            share = np.exp(order.nats.astype(np.float64)) - mixed_in
        unused = below.backoff[children == 0]
        shares = shares and bool((share > 0).all() and (beta > 0).all() and (beta < 1).all())
        shares = shares and not unused.any()
        found.append((order, below, children, words, share, beta))
    orders = []
    for order, below, children, words, share, beta in found:
        spec = {"children": packer.whole(children), "words": packer.whole(words)}
        if shares:
            odds = _rounded(np.log(beta / (1 - beta)))
            spec["odds"] = packer.coded(odds)
            spec["shares"] = packer.coded(_shares(share, children[children > 0], odds))
        else:
            spec["backoff"] = packer.coded(_rounded(below.backoff))
            spec["nats"] = packer.coded(_rounded(order.nats))
        orders.append(spec)
    return {
        "family": "ngram",
        "vocab_size": lm.vocab_size,
        "lines": lm.lines,
        "nats": packer.floats(np.maximum(first.nats, START_NATS)),
        "orders": orders,
    }


def _rounded(values: Floats) -> Floats:
    """To multiples of STEP; −∞ stays."""
    return np.asarray(np.round(values.astype(np.float64) / STEP) * STEP, np.float32)


def _shares(share: Floats, counts: Whole, odds: Floats) -> Floats:
    """log s, rounded; REST for the last of a context if it can be told from the others.

    counts, odds: of each context, how many words follow, and log (β / (1 − β)).
    """
    logs = _rounded(np.log(share)).astype(np.float64)
    last = np.cumsum(counts) - 1
    context = np.repeat(np.arange(len(counts)), counts)
    others = np.bincount(context, np.exp(logs)) - np.exp(logs[last])
    rest = 1 - 1 / (1 + np.exp(-odds.astype(np.float64))) - others
    near = abs(rest / share[last] - 1) < STEP
    logs[last[near]] = REST
    return logs.astype(np.float32)


def _suffixes(lm: NgramLM) -> list[Whole | None]:
    """For each order the indices of its n-grams without their first words, in the order below.

    None from the first order on in which one of them is missing.
    """
    found: list[Whole | None] = [None]
    for k, order in enumerate(lm.orders[1:], 1):
        prefix, words = np.divmod(order.keys, lm.base)
        before = found[k - 1]
        if k == 1:
            found.append(words)
        elif before is None:
            found.append(None)
        else:
            index = lm.orders[k - 1].find(before[prefix] * lm.base + words)
            found.append(None if (index == ABSENT).any() else index)
    return found
