"""The one definition of every number that charlm prints about a text.

Perplexity: Jelinek, Mercer, Bahl and Baker (1977). Surprisal: Shannon (1948).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .errors import CharlmError

LN2 = math.log(2.0)
LN10 = math.log(10.0)
OOV = ("closed", "spelled", "exclude")  # as <UNK> alone, as <UNK> and their spelling, not at all


def perplexity(nats: float, tokens: int) -> float:
    """exp of the mean negative log-probability: exp(-nats / tokens). NaN for no tokens."""
    if tokens == 0:
        return math.nan
    mean = -nats / tokens
    return math.exp(mean) if mean < 700 else math.inf


def bits(nats: float) -> float:
    """An amount of information in bits: nats / ln 2."""
    return nats / LN2


def surprisal(nats: float) -> float:
    """-log2 P in bits, of a log-probability in nats."""
    return bits(-nats) + 0.0  # + 0.0: no "-0.0"


def oov_treatment(oov: str | None, counts: Iterable[Hashable]) -> str:
    """How unknown tokens are treated: as asked, or spelled where their `counts` differ.

    Raises CharlmError for what is not in OOV.
    """
    if oov is None:
        return "spelled" if len(set(counts)) > 1 else "closed"
    if oov not in OOV:
        raise CharlmError(f"unknown treatment of unknown tokens {oov!r}: choose {' | '.join(OOV)}")
    return oov


@dataclass(frozen=True)
class Measures:
    """How well a model predicts a text.

    Totals add up (`+`): the measures of a file are the sum of its sentences'.
    """

    logprob: float  # nats, total, <UNK> and <EOS> counted as tokens
    tokens: int  # including <EOS>
    chars: int  # Unicode characters of the original text, closing newlines included
    bytes: int  # of the text in UTF-8
    oov: int = 0  # tokens that are <UNK>
    oov_logprob: float = 0.0  # nats, the part of `logprob` due to them
    spelling: float = 0.0  # nats, log P of their spellings, not in `logprob`; NaN: not known

    def __add__(self, other: Measures) -> Measures:
        return Measures(
            self.logprob + other.logprob,
            self.tokens + other.tokens,
            self.chars + other.chars,
            self.bytes + other.bytes,
            self.oov + other.oov,
            self.oov_logprob + other.oov_logprob,
            self.spelling + other.spelling,
        )

    def nats(self, oov: str) -> float:
        """The total log-probability, with unknown tokens treated in one of the ways in OOV."""
        left_out = {"closed": 0.0, "spelled": -self.spelling, "exclude": self.oov_logprob}
        return self.logprob - left_out[oov]

    def scale_to(self, tokens: int, chars: int, bytes: int) -> Measures:
        """With characters and bytes in proportion to those of a text that begins with these tokens.

        For measures that only count tokens; tokens, chars, bytes: of the whole text.
        """
        fraction = self.tokens / max(1, tokens)
        return replace(self, chars=round(chars * fraction), bytes=round(bytes * fraction))

    @property
    def log10prob(self) -> float:
        """Total log-probability to base ten."""
        return self.logprob / LN10

    @property
    def bits(self) -> float:
        """-log2 P of the whole text."""
        return bits(-self.logprob)

    @property
    def perplexity(self) -> float:
        """Per token, out-of-vocabulary tokens included."""
        return perplexity(self.logprob, self.tokens)

    @property
    def perplexity_excluding_oov(self) -> float:
        """Per token, out-of-vocabulary tokens left out of sum and count."""
        return perplexity(self.logprob - self.oov_logprob, self.tokens - self.oov)

    @property
    def nats_per_token(self) -> float:
        """The mean loss: ln of the perplexity."""
        return -self.logprob / self.tokens if self.tokens else math.nan

    @property
    def nats_per_char(self) -> float:
        return -self.logprob / self.chars if self.chars else math.nan

    @property
    def bits_per_char(self) -> float:
        """-log2 P per Unicode character of the original text: comparable across levels."""
        return bits(self.nats_per_char)

    @property
    def bits_per_byte(self) -> float:
        return bits(-self.logprob / self.bytes) if self.bytes else math.nan

    @property
    def logprob_spelled(self) -> float:
        """Of the whole text, the spelling of unknown words included (see models/spelling.py)."""
        return self.logprob + self.spelling

    @property
    def bits_per_char_spelled(self) -> float:
        """`bits_per_char` likewise: comparable across vocabularies."""
        return bits(-self.logprob_spelled / self.chars) if self.chars else math.nan

    def as_dict(self) -> dict[str, Any]:
        """The numbers under the names used in JSON, TSV and attributes alike."""
        spelled = {
            "logprob_spelled": self.logprob_spelled,
            "bits_per_char_spelled": self.bits_per_char_spelled,
        }
        return {
            "tokens": self.tokens,
            "chars": self.chars,
            "bytes": self.bytes,
            "oov": self.oov,
            "logprob": self.logprob,
            "log10prob": self.log10prob,
            "perplexity": self.perplexity,
            "perplexity_excluding_oov": self.perplexity_excluding_oov,
            "nats_per_char": self.nats_per_char,
            "bits_per_char": self.bits_per_char,
            "bits_per_byte": self.bits_per_byte,
            **({} if math.isnan(self.spelling) else spelled),
        }


def ranks(measures: Sequence[Measures], oov: str = "closed") -> list[int]:
    """The rank of each of several texts by decreasing probability, from 1; ties share a rank."""
    nats = [one.nats(oov) for one in measures]
    places: dict[float, int] = {}
    for place, logprob in enumerate(sorted(nats, reverse=True), 1):
        places.setdefault(logprob, place)
    return [places[logprob] for logprob in nats]
