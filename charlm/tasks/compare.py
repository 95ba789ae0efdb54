"""Compare two models on the same text: which is better, with what confidence, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import CharlmError, require
from ..lm import LanguageModel, causal
from ..measures import Measures, bits, oov_treatment
from ..text.tokenizer import Tokenizer
from .bootstrap import RESAMPLES, bootstrap, interval
from .measure_lines import measure_lines


@dataclass(frozen=True)
class Line:
    """A sentence and both models' scores."""

    text: str
    bits_first: float  # −log2 P
    bits_second: float

    @property
    def difference(self) -> float:
        """How many bits more the first model needs for it."""
        return self.bits_first - self.bits_second

    def as_dict(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "bits_first": self.bits_first,
            "bits_second": self.bits_second,
            "difference": self.difference,
        }


@dataclass(frozen=True)
class Comparison:
    """Both models over a whole text."""

    lines: tuple[Line, ...]
    first: Measures
    second: Measures
    interval: tuple[float, float]  # 95 % for `difference`
    better: float  # fraction of resamples in which the first model needs fewer bits
    oov: str = "closed"  # how unknown words are treated: closed | spelled | exclude

    @property
    def difference(self) -> float:
        """Bits per character that the first model needs more than the second."""
        return sum(line.difference for line in self.lines) / self.first.chars

    def bits_per_char(self) -> tuple[float, float]:
        """Of the first model and of the second."""
        chars = self.first.chars
        return (
            sum(line.bits_first for line in self.lines) / chars,
            sum(line.bits_second for line in self.lines) / chars,
        )

    def wins(self, limit: int = 5) -> tuple[list[Line], list[Line]]:
        """The sentences that the first model finds more probable, and those that the second does.

        Up to `limit` each, largest difference first.
        """
        order = sorted(self.lines, key=lambda line: line.difference)
        return (
            [line for line in order[:limit] if line.difference < 0],
            [line for line in order[::-1][:limit] if line.difference > 0],
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "sentences": len(self.lines),
            "oov": self.oov,
            "first": self.first.as_dict(),
            "second": self.second.as_dict(),
            "difference_bits_per_char": self.difference,
            "interval": list(self.interval),
            "first_better_share": self.better,
        }


def compare(
    models: Sequence[tuple[LanguageModel, Tokenizer]],
    sentences: Sequence[str],
    *,
    seed: int = 1,
    resamples: int = RESAMPLES,
    oov: str | None = None,
) -> Comparison:
    """Score every sentence on its own with both models, and bootstrap the difference.

    oov: unknown words count as <UNK> alone (closed), as <UNK> and their spelling (spelled), or not
    at all (exclude). None: spelled if one model knows more tokens than the other, else closed.

    The interval is from a paired bootstrap over sentences: both models are
    measured on the same resampled sentences, so what makes a sentence hard for both cancels out.
    Raises CharlmError for no sentences and an unknown `oov`.
    """
    require(len(models) == 2, "a comparison takes two models")
    require(not isinstance(sentences, str), "compare takes a list of sentences, not one string")
    require(seed >= 0, f"`seed` must be 0 or positive, not {seed}")
    require(resamples >= 1, f"`resamples` must be at least 1, not {resamples}")
    if not sentences:
        raise CharlmError("there are no sentences to compare the models on")
    measured = [measure_lines(causal(lm), tokenizer, sentences) for lm, tokenizer in models]
    zero = Measures(0.0, 0, 0, 0)
    first, second = (sum(lines, zero) for lines in measured)
    treated = oov_treatment(oov, (tuple(one.oov for one in lines) for lines in measured))
    lines = tuple(
        Line(text, *(bits(-one.nats(treated)) for one in pair))
        for text, *pair in zip(sentences, *measured, strict=True)
    )
    extra_N = np.array([line.difference for line in lines])
    chars_N = np.array([one.chars for one in measured[0]], np.float64)
    drawn = bootstrap(extra_N, chars_N, resamples, seed)
    better = float((drawn < 0).mean())
    return Comparison(lines, first, second, interval(drawn), better, treated)
