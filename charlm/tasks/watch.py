"""What a model makes of a text while it is being typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic

import numpy as np

from ..lm import CausalLM, Ids, S
from ..measures import surprisal
from ..models.activations import Place, activations_from, network_in
from ..models.arithmetic import Array
from ..models.recurrent import RecurrentState
from ..text.tokenizer import Tokenizer
from ..text.word_tokenizer import WordTokenizer
from .next_tokens import NextTokens, most_probable

ENDS = {"word": " \n\t", "subword": " \n"}  # of words, at levels at which they are read when ended
STRIDE = 32  # tokens between states that are kept, to go back to when something is deleted


@dataclass(frozen=True)
class Glance:
    """The state of things after what has been typed."""

    pieces: tuple[str, ...]  # the tokens so far, as they were typed
    surprisals: tuple[float, ...]  # of each, bits
    unfinished: str  # the beginning of a word, which is no token yet
    next: NextTokens  # of those that begin with what is unfinished
    units: Mapping[Place, Array]  # h, c and gates of the network after the last token, (H,) each

    @property
    def bits(self) -> float:
        """The surprisal of all tokens."""
        return sum(self.surprisals)


@dataclass(frozen=True)
class _Moment(Generic[S]):
    """What the model remembers after some tokens, and its network, which may be a part of it."""

    state: S
    network: RecurrentState | None
    units: Mapping[Place, Array]


class Watcher(Generic[S]):
    """Reads a text that changes at its end: each time no more of it than is new."""

    def __init__(self, lm: CausalLM[S], tokenizer: Tokenizer, *, top_k: int = 8) -> None:
        self.lm, self.tokenizer, self.top_k = lm, tokenizer, top_k
        self.network = network_in(lm)
        self.ids: Ids = np.zeros(0, np.int64)
        self.surprisals: list[float] = []
        self.last = _Moment(lm.start(1), self.network.start(1) if self.network else None, {})
        self.kept = [self.last]  # after every STRIDE tokens

    def glance(self, text: str) -> Glance:
        """Look at a text that has been typed so far, from the beginning of a line."""
        before, unfinished = _parted(self.tokenizer, text)
        self._read(self.tokenizer.encode(before))
        mark = "▁" if self.tokenizer.level == "subword" and unfinished else ""
        nats_V = self.lm.predict(self.last.state)[0]
        return Glance(
            tuple(_pieces(self.tokenizer, before, self.ids)),
            tuple(self.surprisals),
            unfinished,
            most_probable(self.tokenizer, nats_V, self.top_k, begin=mark + unfinished),
            self.last.units,
        )

    def _read(self, ids: Ids) -> None:
        same = _in_common(ids, self.ids)
        if same < len(self.ids):
            del self.kept[same // STRIDE + 1 :]
            del self.surprisals[(len(self.kept) - 1) * STRIDE :]
            self.last = self.kept[-1]
        while (done := len(self.surprisals)) < len(ids):
            self._go_on(ids[done : (done // STRIDE + 1) * STRIDE])
            if len(self.surprisals) % STRIDE == 0:
                self.kept.append(self.last)
        self.ids = ids

    def _go_on(self, ids: Ids) -> None:
        nats, state = self.lm.read(self.last.state, ids[None])
        self.surprisals += [surprisal(float(one)) for one in np.asarray(nats[0], np.float64)]
        network, units = self.last.network, self.last.units
        if self.network is not None and network is not None:
            found, network = activations_from(self.network, network, ids)
            units = {place: values_TH[-1] for place, values_TH in found.items()}
        self.last = _Moment(state, network, units)


def _parted(tokenizer: Tokenizer, text: str) -> tuple[str, str]:
    """What can be read, and the beginning of a word."""
    if tokenizer.level not in ENDS:
        return text, ""
    k = max(map(text.rfind, ENDS[tokenizer.level])) + 1
    return text[:k].rstrip(" "), text[k:]


def _in_common(one: Ids, other: Ids) -> int:
    """The number of tokens that two texts begin with."""
    length = min(len(one), len(other))
    different = np.flatnonzero(one[:length] != other[:length])
    return int(different[0]) if len(different) else length


def _pieces(tokenizer: Tokenizer, text: str, ids: Ids) -> list[str]:
    """The tokens' names, with the spaces between words; unknown ones also as they were typed."""
    typed = tokenizer.written(text) if isinstance(tokenizer, WordTokenizer) else text
    space = " " if tokenizer.level == "word" else ""
    pieces = []
    for k, id in enumerate(ids.tolist()):
        if id == tokenizer.eos:
            pieces.append("\n")
        elif id == tokenizer.unk:
            pieces.append(f"{typed[k]}{space}<UNK>{space}")
        else:
            pieces.append(tokenizer.token(id).replace("▁", " ") + space)
    return pieces
