"""What a trained model has to beat: an n-gram model of the same text, and guessing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..lm import Nats
from ..models.ngram import NgramLM
from ..tasks.measure import measure_ids
from ..text.corpus import Corpus
from . import defaults
from .events import Baseline, Events
from .ngram_run import estimate_ngram

MAX_MIXED_TOKENS = 3_000_000  # of training text that are counted: six seconds, 700 MB
MAX_COMPARED_TOKENS = 1_000_000  # for a mere comparison: two
SECONDS_PER_TOKEN = 2e-6  # to count; on Zen 4 it took 1.1e-6 to 1.8e-6, and 1.2e-6 to score


class _Warnings(Events):
    """Collects warnings, and passes progress on."""

    def __init__(self, events: Events) -> None:
        self.messages: list[str] = []
        self.events = events

    def stage(self, name: str, done: float) -> None:
        self.events.stage(name, done)

    def warn(self, message: str) -> None:
        self.messages.append(message)


@dataclass(frozen=True)
class CountedText:
    """A Kneser-Ney model of the first tokens of a training text."""

    lm: NgramLM
    tokens: int  # that were counted
    corpus: Corpus
    warnings: list[str]  # where the text was too small to estimate a discount from

    def baseline(self, nats: Nats) -> Baseline:
        """The model as a baseline; nats (N,): its log P of the first N validation tokens."""
        corpus, size = self.corpus, self.corpus.valid_text
        raw = measure_ids(corpus.valid[: len(nats)], nats, corpus.tokenizer.unk)
        whole = raw.scale_to(len(corpus.valid), size.chars, size.bytes)
        return Baseline(self.lm.order, self.tokens, len(corpus.train), whole, self.warnings)


def count_text(corpus: Corpus, max_tokens: int, events: Events | None = None) -> CountedText:
    """Estimate a Kneser-Ney model of the training text, of the default order for its level.

    max_tokens: of the training text, from its start. events: told of progress.
    """
    warnings = _Warnings(events or Events())
    order, min_counts = defaults.ngrams(corpus.tokenizer.level, corpus.tokenizer.vocab_size)
    lines = defaults.ngram_context(corpus.tokenizer.level) == "sentence"
    part = replace(corpus, train=corpus.train[:max_tokens])
    lm = estimate_ngram(part, order, lines=lines, min_counts=min_counts, events=warnings)
    return CountedText(lm, len(part.train), corpus, warnings.messages)


def count_ngrams(
    corpus: Corpus,
    valid_tokens: int,
    max_tokens: int | None = None,
    events: Events | None = None,
) -> Baseline:
    """Measure a Kneser-Ney model of the training text on the validation text.

    valid_tokens: of the validation text, from its start. max_tokens: of the training text, by
    default MAX_COMPARED_TOKENS. events: told of progress.
    """
    counted = count_text(corpus, max_tokens or MAX_COMPARED_TOKENS, events)
    lm, held_out = counted.lm, np.asarray(corpus.valid[:valid_tokens])
    nats_BT, _ = lm.read(lm.start(1), held_out[None])
    return counted.baseline(nats_BT[0])


def guessing_bits_per_char(corpus: Corpus) -> float:
    """Of a model that gives all V tokens the same probability: log₂ V · tokens / characters."""
    text = corpus.valid_text
    return float(np.log2(corpus.tokenizer.vocab_size)) * text.tokens / max(1, text.chars)
