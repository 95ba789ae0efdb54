"""What a model makes of a text while it is being typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..lm import CausalLM, S
from ..measures import surprisal
from ..models.activations import Place, activations, network_in
from ..models.cells import Array
from ..text.tokenizer import Tokenizer
from .next_tokens import NextTokens, most_probable

WHOLE_WORDS = ("word", "subword")  # levels at which a word is known only once it has ended


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


def glance(lm: CausalLM[S], tokenizer: Tokenizer, text: str, *, top_k: int = 8) -> Glance:
    """Read a text that has been typed so far, from the beginning of a line."""
    before, unfinished = text, ""
    if tokenizer.level in WHOLE_WORDS:
        k = max(text.rfind(" "), text.rfind("\n")) + 1
        before, unfinished = text[:k], text[k:]
    ids = tokenizer.encode(before.rstrip(" ") if tokenizer.level in WHOLE_WORDS else before)
    nats, state = lm.read(lm.start(1), ids[None])
    begin = ("▁" if tokenizer.level == "subword" else "") + unfinished if unfinished else ""
    network = network_in(lm)
    units: dict[Place, Array] = {}
    if network is not None and len(ids):
        for _, found in activations(network, ids):
            units = {place: values_TH[-1] for place, values_TH in found.items()}
    return Glance(
        tuple(_pieces(tokenizer, ids.tolist())),
        tuple(surprisal(float(one)) for one in np.asarray(nats[0], np.float64)),
        unfinished,
        most_probable(tokenizer, lm.predict(state)[0], top_k, begin=begin),
        units,
    )


def _pieces(tokenizer: Tokenizer, ids: list[int]) -> list[str]:
    """The tokens' names, with the spaces between words."""
    names = ["\n" if i == tokenizer.eos else tokenizer.token(i).replace("▁", " ") for i in ids]
    if tokenizer.level == "word":
        return [name if name == "\n" else f"{name} " for name in names]
    return names
