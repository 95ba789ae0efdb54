"""A model that remembers what it predicted after the beginnings of recent texts.

A text that somebody is typing is read again and again, each time a little longer: only what is new
is computed.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Self, TypeAlias, TypeVar

from ..lm import Ids, LanguageModel, Nats, State, causal
from .causal import CausalModel

T = TypeVar("T")
Key: TypeAlias = tuple[int, ...] | None  # the tokens of a text; None: too many

MAX_ENTRIES = 1 << 22  # of remembered predictions, all together: 32 MiB
MAX_TEXTS = 4096  # beginnings of texts that are remembered
MAX_TOKENS = 1000  # of a text; longer ones are read as if there were no memory


@dataclass(frozen=True)
class RememberedState:
    """The state of the model inside for B texts, and the texts."""

    inner: State
    keys: tuple[Key, ...]

    def take(self, rows: Ids) -> Self:
        """The states of the texts `rows`, in that order; a row may be taken more than once."""
        return type(self)(self.inner.take(rows), tuple(self.keys[row] for row in rows))

    def joined(self, other: Self) -> Self:
        """The states of these texts and, after them, of the texts of `other`."""
        return type(self)(self.inner.joined(other.inner), self.keys + other.keys)


class RememberingLM(CausalModel[RememberedState]):
    """A model with a memory of single texts; obeys `lm.CausalLM`. Batches are passed on."""

    def __init__(self, lm: LanguageModel) -> None:
        """Raises CharlmError for a bidirectional model."""
        self.lm, self.vocab_size, self.eos, self.order = causal(lm), lm.vocab_size, lm.eos, 0
        self.limit = min(MAX_TEXTS, max(8, MAX_ENTRIES // lm.vocab_size))
        self._states: OrderedDict[Key, State] = OrderedDict()
        self._predicted: OrderedDict[Key, Nats] = OrderedDict()

    def start(self, batch: int) -> RememberedState:
        """The state of `batch` texts just after <EOS>: at the beginning of a sentence."""
        return RememberedState(self.lm.start(batch), ((self.eos,),) * batch)

    def empty(self, batch: int) -> RememberedState:
        """The state of `batch` texts before any token."""
        return RememberedState(self.lm.empty(batch), ((),) * batch)

    def predict(self, state: RememberedState) -> Nats:
        """(B, V) log-probabilities of the next token, nats."""
        if len(state.keys) != 1:
            return self.lm.predict(state.inner)
        (key,) = state.keys
        found = self._known(self._predicted, key)
        if found is None:
            found = self.lm.predict(state.inner)
            self._keep(self._predicted, key, found)
        return found.copy()

    def advance(self, state: RememberedState, ids_B: Ids) -> RememberedState:
        """The state after one more token in every row. `state` itself is unchanged."""
        keys = tuple(_longer(key, [int(id)]) for key, id in zip(state.keys, ids_B, strict=True))
        if len(keys) != 1:
            return RememberedState(self.lm.advance(state.inner, ids_B), keys)
        found = self._known(self._states, keys[0])
        if found is None:
            found = self.lm.advance(state.inner, ids_B)
            self._keep(self._states, keys[0], found)
        return RememberedState(found, keys)

    def read(self, state: RememberedState, ids_BT: Ids) -> tuple[Nats, RememberedState]:
        """Log-probability of each of T further tokens, (B, T) nats, and the state after them."""
        if len(ids_BT) == 1 and ids_BT.shape[1] <= MAX_TOKENS and state.keys[0] is not None:
            return super().read(state, ids_BT)
        nats_BT, inner = self.lm.read(state.inner, ids_BT)
        keys = zip(state.keys, ids_BT.tolist(), strict=True)
        return nats_BT, RememberedState(inner, tuple(_longer(key, ids) for key, ids in keys))

    def _known(self, known: OrderedDict[Key, T], key: Key) -> T | None:
        if key not in known:
            return None
        known.move_to_end(key)
        return known[key]

    def _keep(self, known: OrderedDict[Key, T], key: Key, value: T) -> None:
        if key is None:
            return
        known[key] = value
        while len(known) > self.limit:
            known.popitem(last=False)


def _longer(key: Key, ids: list[int]) -> Key:
    if key is None or len(key) + len(ids) > MAX_TOKENS:
        return None
    return (*key, *ids)
