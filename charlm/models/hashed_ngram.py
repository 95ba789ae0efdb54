"""An n-gram model in hash tables: bigger than sorted arrays, ready at once, and faster to look up.

The model file is mapped into memory, so opening it takes as long whatever its size. An n-gram is
known by the row it has in the table of its order, in place of its index among sorted n-grams
(`ngram`); all else is the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ..errors import require
from ..lm import Nats
from ..system.checked import checked
from . import hash_table
from .family import Config, Family
from .hash_table import MASK, MAX_PROBES, MULTIPLIER, Keys, Table
from .ngram import (
    ABSENT,
    MAX_NATS,
    MAX_NGRAM_ORDER,
    NgramConfig,
    NgramLM,
    NgramState,
    Order,
    Values,
    values_at,
)


class HashedOrder:
    """All n-grams of one length; obeys `ngram.Order`, its indices being rows."""

    def __init__(self, table: Table) -> None:
        hash_table.check(table)
        self.table = table
        both = hash_table.values(table)
        self.nats, self.backoff = both[:, 0], both[:, 1]

    @property
    def keys(self) -> Keys:
        """Of the n-grams that there are, in no order."""
        held = self.table[:, 0]
        return np.asarray(held[held != hash_table.EMPTY])

    def find(self, keys: Keys) -> Keys:
        """The rows of n-grams; ABSENT for those that are not in the model."""
        return hash_table.find(self.table, keys.ravel()).reshape(keys.shape)


class HashedNgramLM(NgramLM):
    """An n-gram model in hash tables; obeys `lm.BackoffLM`. Log-probabilities are nats."""

    def __init__(
        self,
        unigrams: tuple[Values, Values],
        tables: Sequence[Table],
        vocab_size: int,
        eos: int,
        *,
        lines: bool,
    ) -> None:
        """unigrams: log P and backoff of the V + 1 words. tables: of each further order."""
        first = Order(np.arange(vocab_size + 1), *unigrams)
        super().__init__(
            [first, *map(HashedOrder, tables)],  # type: ignore[list-item]  # it obeys Order
            vocab_size,
            eos,
            lines=lines,
        )
        self.tables = tuple(tables)
        self._views: _Views | None = None  # made when first asked for

    def __getstate__(self) -> dict[str, Any]:
        """What is copied: memory views cannot be."""
        return {**vars(self), "_views": None}

    @classmethod
    def of(cls, lm: NgramLM) -> Self:
        """The same model as another, whose n-grams are in sorted arrays."""
        tables: list[Table] = []
        rows = np.arange(lm.base)  # of every n-gram of the order below
        for order in lm.orders[1:]:
            prefix, word = np.divmod(order.keys, lm.base)
            keys = rows[prefix] * lm.base + word
            tables.append(hash_table.build(keys, order.nats, order.backoff))
            rows = hash_table.find(tables[-1], keys)
        first = lm.orders[0]
        unigrams = (first.nats, first.backoff)
        return cls(unigrams, tables, lm.vocab_size, lm.eos, lines=lm.lines)

    def predict(self, state: NgramState) -> Nats:
        """(B, V) log-probabilities of the next token, nats: every word is looked up."""
        words_V = np.arange(self.vocab_size)
        found = np.empty((len(state.contexts_BN), self.vocab_size), np.float32)
        for b, contexts_N in enumerate(state.contexts_BN):
            nats_V = self.orders[0].nats[: self.vocab_size].astype(np.float64)
            for k, order in enumerate(self.orders[1:]):
                context = int(contexts_N[k])
                if context == ABSENT:
                    continue
                index_V = order.find(context * self.base + words_V)
                nats_V += float(self.orders[k].backoff[context])
                nats_V = np.where(index_V == ABSENT, nats_V, values_at(order.nats, index_V))
            found[b] = nats_V
        return found

    def sentence(self, ids: Sequence[int], *, start: bool = True) -> float:
        """log P of a sentence's tokens, one after another, nats: without NumPy, for one at a time.

        start: it follows a sentence end; otherwise nothing at all.
        """
        if self._views is None:
            self._views = _Views(self)
        return self._views.sentence(ids, start=start)

    def sorted(self) -> NgramLM:
        """The same model, its n-grams in sorted arrays."""
        orders = [self.orders[0]]
        index = np.arange(self.base)  # among the sorted, of every row of the order below
        for table, order in zip(self.tables, self.orders[1:], strict=True):
            rows = np.flatnonzero(table[:, 0] != hash_table.EMPTY)
            prefix, word = np.divmod(table[rows, 0], self.base)
            keys = index[prefix] * self.base + word
            place = np.argsort(keys)
            rows = rows[place]
            orders.append(Order(keys[place], order.nats[rows], order.backoff[rows]))
            index = np.full(len(table), ABSENT)
            index[rows] = np.arange(len(rows))
        return NgramLM(orders, self.vocab_size, self.eos, lines=self.lines)

    def renumbered(self, new_V: Any) -> Self:
        """Not for hash tables: renumber the model that they were made of."""
        raise NotImplementedError

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays of a model file."""
        first = self.orders[0]
        found: dict[str, npt.NDArray[Any]] = {
            "order.1.nats": first.nats,
            "order.1.backoff": first.backoff,
        }
        return found | {f"order.{k}.table": table for k, table in enumerate(self.tables, 2)}

    @classmethod
    def from_tensors(
        cls, config: Config, tensors: Mapping[str, npt.NDArray[Any]], eos: int
    ) -> HashedNgramLM:
        """From the arrays of a model file. Raises CharlmError if they cannot be a model.

        What is mapped into memory is not read, so that it can stay on disk.
        """
        settings = checked(config, NgramConfig, "config")
        V, N = settings["vocab_size"], settings["order"]
        names = {"order.1.nats", "order.1.backoff", *(f"order.{k}.table" for k in range(2, N + 1))}
        unigrams = tensors.get("order.1.nats"), tensors.get("order.1.backoff")
        require(
            1 <= N <= MAX_NGRAM_ORDER
            and 0 <= eos < V
            and tensors.keys() == names
            and all(one is not None and one.shape == (V + 1,) for one in unigrams)
            and all(one is not None and one.dtype == np.float32 for one in unigrams)
            and all(one is not None and one.flags.aligned for one in unigrams),
            "the n-gram model's tables do not fit: the model file is damaged",
        )
        tables = [tensors[f"order.{k}.table"] for k in range(2, N + 1)]
        first = tensors["order.1.nats"], tensors["order.1.backoff"]
        lm = cls(first, tables, V, eos, lines=settings["lines"])
        for order in lm.orders:
            mapped = isinstance(order.nats, np.memmap)
            require(
                mapped or bool((order.nats <= MAX_NATS).all() and np.isfinite(order.backoff).all()),
                "the n-gram model's tables hold no log-probabilities: the model file is damaged",
            )
        return lm


class _Views:
    """The arrays of a model as Python reads them fastest: memory views of numbers."""

    def __init__(self, lm: HashedNgramLM) -> None:
        first = lm.orders[0]
        self.base, self.start, self.eos = lm.base, lm.vocab_size, lm.eos
        self.end = lm.eos if lm.lines else ABSENT
        self.order = lm.order
        self.unigrams, self.backoffs = _view(first.nats), _view(first.backoff)
        self.tables = []
        for table in lm.tables:
            data = _view(table).cast("B")
            bits = len(table).bit_length() - 1
            self.tables.append((data.cast("q"), data.cast("f"), 64 - bits, len(table) - 1))

    def sentence(self, ids: Sequence[int], *, start: bool) -> float:
        """See `HashedNgramLM.sentence`."""
        base, unigrams, tables, total = self.base, self.unigrams, self.tables, 0.0
        contexts: list[tuple[int, float]] = []  # row and backoff of the last 1, 2, … words
        if start:
            first = self.start if self.end == self.eos else self.eos
            contexts = [(first, self.backoffs[first])]
        for word in ids:
            nats = unigrams[word]
            known = [(word, self.backoffs[word])]
            for (context, backoff), (keys, values, shift, mask) in zip(
                contexts, tables, strict=False
            ):
                key = context * base + word
                row, left = (key * MULTIPLIER & MASK) >> shift, MAX_PROBES
                while (held := keys[2 * row]) != key and held >= 0 and left:
                    row, left = (row + 1) & mask, left - 1
                if held == key and context >= 0:
                    nats = values[4 * row + 2]
                    known.append((row, values[4 * row + 3]))
                else:
                    nats += backoff
                    known.append((ABSENT, 0.0))
            total += nats
            if word == self.end:
                contexts = [(self.start, self.backoffs[self.start])]
            else:
                contexts = known[: self.order - 1]
                while contexts and contexts[-1][0] < 0:
                    contexts.pop()
        return total


def _view(array: Any) -> Any:
    """A memory view of an array, which gives its numbers as Python's own."""
    return memoryview(array)


def _short(config: Config) -> str:
    return f"{config['order']}-gram model in hash tables"


FAMILY = Family("hashed-ngram", HashedNgramLM.from_tensors, _short)
