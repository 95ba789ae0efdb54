"""Minimal pairs: does the model find the good sentence more probable than the bad one?

(Marvin and Linzen 2018; Warstadt et al. 2020, whose BLiMP files are read as they are.)
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..display.difference import common_ends
from ..errors import CharlmError, require
from ..lm import CausalLM, Ids, Nats, S
from ..measures import bits, surprisal
from ..text.tokenizer import Tokenizer
from .proportions import wilson
from .score import SentenceScore, encode_line, score
from .shared_prefixes import shared_logprobs

NORMS = ("none", "token", "char")
AT_ONCE = 1 << 10  # pairs of words scored at a time
UNDECIDED = "undecided"


@dataclass(frozen=True)
class Pair:
    """Two minimally different sentences, of which one is acceptable."""

    good: str
    bad: str
    phenomenon: str = ""
    id: str = ""
    shared: int | None = None  # characters that both begin with, if the words after them decide


@dataclass(frozen=True)
class PairScore:
    """A pair and how probable the model finds it."""

    pair: Pair
    good: float  # log P, nats; of the region, or per token or character, if requested
    bad: float
    good_region: float = math.nan  # log P of the tokens that differ, from the first to the last
    bad_region: float = math.nan
    good_oov: int = 0  # tokens of the sentence that are <UNK>
    bad_oov: int = 0

    @property
    def difference(self) -> float:
        """How much more probable the good sentence is, nats."""
        return self.good - self.bad

    @property
    def right(self) -> bool:
        """Whether the model prefers the good sentence; a tie is not a preference."""
        return self.difference > 0

    @property
    def decision(self) -> str:
        """right, wrong or undecided: both are equally probable."""
        return "right" if self.right else "wrong" if self.difference < 0 else UNDECIDED

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.pair.id,
            "phenomenon": self.pair.phenomenon,
            "good": self.pair.good,
            "bad": self.pair.bad,
            "good_logprob": self.good,
            "bad_logprob": self.bad,
            "difference": self.difference,
            "good_region_surprisal": surprisal(self.good_region),
            "bad_region_surprisal": surprisal(self.bad_region),
            "good_oov": self.good_oov,
            "bad_oov": self.bad_oov,
            "decision": self.decision,
        }


@dataclass(frozen=True)
class Accuracy:
    """How often the model was right, with a confidence interval."""

    right: int
    total: int
    undecided: int  # both sentences are equally probable
    mean_difference: float  # nats

    @property
    def rate(self) -> float:
        """The fraction that it got right; an undecided pair is half right, as if it guessed."""
        return (self.right + self.undecided / 2) / self.total if self.total else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the rate (Wilson 1927)."""
        return wilson(self.right + self.undecided / 2, self.total)

    def as_dict(self) -> dict[str, Any]:
        return {
            "pairs": self.total,
            "right": self.right,
            "undecided": self.undecided,
            "accuracy": self.rate,
            "interval": list(self.interval),
            "mean_difference": self.mean_difference,
            "mean_difference_bits": bits(self.mean_difference),
        }


@dataclass(frozen=True)
class PairScores:
    """Minimal pairs with a model's scores."""

    pairs: tuple[PairScore, ...]  # in the order given
    skipped: int = 0  # pairs left out for their unknown words

    @property
    def accuracy(self) -> float:
        """The fraction of pairs for which the model prefers the good sentence, see `Accuracy`."""
        return self.overall.rate

    @property
    def overall(self) -> Accuracy:
        """All pairs together, with the interval of their accuracy."""
        return accuracy(self.pairs)

    @property
    def by_phenomenon(self) -> dict[str, Accuracy]:
        """Accuracy by phenomenon, in the order of first appearance."""
        groups: dict[str, list[PairScore]] = {}
        for one in self.pairs:
            groups.setdefault(one.pair.phenomenon, []).append(one)
        return {name: accuracy(group) for name, group in groups.items()}

    def worst(self, limit: int = 10) -> list[PairScore]:
        """Up to `limit` of the pairs that the model gets wrong, worst first."""
        failures = (one for one in self.pairs if one.decision == "wrong")
        return sorted(failures, key=lambda one: one.difference)[:limit]

    def as_dict(self) -> dict[str, Any]:
        return {
            "skipped": self.skipped,
            "overall": self.overall.as_dict(),
            "by_phenomenon": {name: one.as_dict() for name, one in self.by_phenomenon.items()},
        }


def score_pairs(
    lm: CausalLM[S],
    tokenizer: Tokenizer,
    pairs: Sequence[Pair],
    *,
    region: bool = False,
    norm: str = "none",
    skip_oov: bool = False,
) -> PairScores:
    """Score all pairs, each sentence on its own, in the order given.

    region: score only the tokens from the first to the last difference, given what precedes them.
    norm: divide log P by the number of tokens ("token") or characters ("char") scored; for a
    region, tokens only. skip_oov: leave out pairs with an unknown token.

    Raises CharlmError for an unknown norm, and if all pairs are left out.
    """
    require(norm in NORMS, f"unknown norm {norm!r}: choose {' | '.join(NORMS)}")
    require(
        not (region and norm == "char"), "`norm` char does not go with `region`: use norm token"
    )
    kept = known(tokenizer, pairs) if skip_oov else list(pairs)
    whole = _whole(lm, tokenizer, [p for p in kept if p.shared is None], region, norm)
    words = _words(lm, tokenizer, [p for p in kept if p.shared is not None], norm)
    scores = tuple(next(whole if pair.shared is None else words) for pair in kept)
    return PairScores(scores, len(pairs) - len(kept))


def known(tokenizer: Tokenizer, pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs without an unknown token. Raises CharlmError if there are none."""
    kept = without_unknown(tokenizer, pairs)
    if not kept:
        raise nothing_known(tokenizer)
    return kept


def without_unknown(tokenizer: Tokenizer, pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs without an unknown token, if any."""
    return [pair for pair in pairs if not any(_oov(tokenizer, _encoded(tokenizer, pair)))]


def nothing_known(tokenizer: Tokenizer) -> CharlmError:
    """The error where all pairs are left out."""
    whole = tokenizer.level == "word" and tokenizer.as_dict()["split"] == "whitespace"
    hint = '. To this model "cat." is one word: make one with `split` unicode' if whole else ""
    return CharlmError(f"every pair has an unknown word: nothing is left to score{hint}")


def _whole(
    lm: CausalLM[S], tokenizer: Tokenizer, pairs: Sequence[Pair], region: bool, norm: str
) -> Iterator[PairScore]:
    """Pairs of sentences, <EOS> included."""
    seqs = [encode_line(tokenizer, text) for pair in pairs for text in (pair.good, pair.bad)]
    nats = shared_logprobs(lm, seqs)
    for k, pair in enumerate(pairs):
        two = slice(2 * k, 2 * k + 2)
        places = differing(*seqs[two])
        parts = [one[place] for one, place in zip(nats[two], places, strict=True)]
        good, bad = parts if region else nats[two]
        yield PairScore(
            pair,
            _total(good) / _length(norm, len(good), pair.good + "\n"),
            _total(bad) / _length(norm, len(bad), pair.bad + "\n"),
            _total(parts[0]),
            _total(parts[1]),
            *_oov(tokenizer, seqs[two]),
        )


def _words(
    lm: CausalLM[S], tokenizer: Tokenizer, pairs: Sequence[Pair], norm: str
) -> Iterator[PairScore]:
    """Pairs of whole words after the same beginning; what is the same to the model is a tie."""
    for b in range(0, len(pairs), AT_ONCE):
        group = pairs[b : b + AT_ONCE]
        texts = [text for pair in group for text in (pair.good, pair.bad)]
        scores = score(lm, tokenizer, texts, eos=False, words=True)
        for k, pair in enumerate(group):
            good, bad = (_after(pair, one) for one in scores[2 * k : 2 * k + 2])
            seqs = _encoded(tokenizer, pair)
            bad = good if np.array_equal(seqs[0], seqs[1]) else bad
            before = len(tokenizer.encode(pair.good[: pair.shared].rstrip(" ")))
            lengths = [
                _length(norm, len(seq) - before, text[pair.shared :])
                for seq, text in zip(seqs, (pair.good, pair.bad), strict=True)
            ]
            yield PairScore(
                pair, good / lengths[0], bad / lengths[1], good, bad, *_oov(tokenizer, seqs)
            )


def _after(pair: Pair, scored: SentenceScore) -> float:
    """log P of the words after the beginning that a pair shares."""
    words = scored.word_scores or ()
    return math.fsum(word.logprob for word in words if word.end > (pair.shared or 0))


def _encoded(tokenizer: Tokenizer, pair: Pair) -> list[Ids]:
    """The tokens of both sentences, without <EOS>."""
    return [tokenizer.encode(text) for text in (pair.good, pair.bad)]


def _oov(tokenizer: Tokenizer, seqs: Sequence[Ids]) -> tuple[int, int]:
    """How many tokens of each of two sequences are <UNK>."""
    good, bad = seqs
    return int((good == tokenizer.unk).sum()), int((bad == tokenizer.unk).sum())


def _total(nats: Nats) -> float:
    return float(nats.sum(dtype=np.float64))


def _length(norm: str, tokens: int, text: str) -> int:
    """What a log-probability is divided by."""
    return max(1, {"none": 1, "token": tokens, "char": len(text)}[norm])


def differing(one: Ids, other: Ids) -> tuple[slice, slice]:
    """Where two sequences differ: all but their common prefix and common suffix."""
    first, last = common_ends(one.tolist(), other.tolist())
    return slice(first, len(one) - last), slice(first, len(other) - last)


def accuracy(scores: Sequence[PairScore]) -> Accuracy:
    """The accuracy over `scores`."""
    return Accuracy(
        sum(one.right for one in scores),
        len(scores),
        sum(one.decision == UNDECIDED for one in scores),
        float(np.mean([one.difference for one in scores])) if scores else math.nan,
    )
