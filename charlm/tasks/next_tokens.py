"""The distribution of the next token: the most probable ones, and the entropy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..errors import require
from ..lm import CausalLM, Nats, S
from ..measures import surprisal
from ..text.tokenizer import Tokenizer
from .prompt import encode_prompt


@dataclass(frozen=True)
class NextToken:
    """A possible next token."""

    token: str
    logprob: float  # nats

    @property
    def probability(self) -> float:
        return math.exp(self.logprob)

    def as_dict(self) -> dict[str, Any]:
        return {"token": self.token, "logprob": self.logprob, "probability": self.probability}


class NextTokens(NamedTuple):
    """The most probable next tokens, and the entropy of the distribution."""

    tokens: list[NextToken]  # the most probable first
    entropy: float  # of the whole distribution, bits

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of `charlm next --json`."""
        return {"entropy": self.entropy, "next": [one.as_dict() for one in self.tokens]}


def next_tokens(
    lm: CausalLM[S], tokenizer: Tokenizer, prompt: str = "", *, top_k: int = 15
) -> NextTokens:
    """The most probable next tokens after `prompt`, and the entropy of the distribution, bits.

    H = − Σ_w P(w) log2 P(w)   (Shannon 1948)
    """
    require(top_k >= 1, f"`top_k` must be at least 1, not {top_k}")
    ids, _ = encode_prompt(tokenizer, prompt)
    _, state = lm.read(lm.start(1), ids[None])
    return most_probable(tokenizer, lm.predict(state)[0], top_k)


def most_probable(tokenizer: Tokenizer, nats_V: Nats, top_k: int, *, begin: str = "") -> NextTokens:
    """The `top_k` most probable of all tokens, or of those that begin with `begin`, and the entropy
    of the whole distribution.
    """
    nats = nats_V.astype(np.float64)
    entropy = surprisal(float((np.exp(nats) * np.where(np.isneginf(nats), 0, nats)).sum()))
    found: list[NextToken] = []
    for k in np.argsort(-nats, kind="stable").tolist():
        if len(found) == top_k:
            break
        token = tokenizer.token(k)
        if token.startswith(begin):
            found.append(NextToken(token, float(nats[k])))
    return NextTokens(found, entropy)
