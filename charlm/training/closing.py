"""What follows a network's last step: an n-gram model of the same text, mixed in or beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ..config import NetworkConfig
from ..models import model_file, model_parts
from ..runs.baseline import MAX_NGRAM_TOKENS, SECONDS_PER_TOKEN, count_ngrams, count_text
from ..runs.events import Events, Outcome
from ..runs.mixture_run import fit_mixture
from ..tasks.score import measure
from ..text.corpus import Corpus

NGRAM_TIME_FRACTION = 0.1  # of a run's time, for the n-gram model
NUMPY_FLOPS_PER_SECOND = 1e11  # of the network on held-out text: measured on two Zen 5 cores
MIXING_SECONDS = 1.5  # besides counting and scoring: to write and read the model


@dataclass(frozen=True)
class Closing:
    """What is done with the n-gram model."""

    mixed: bool  # into the model, rather than only measured beside it
    cache: bool = False  # over the mixture
    max_tokens: int = MAX_NGRAM_TOKENS  # of the training text, to count

    @classmethod
    def within(cls, seconds: float, *, mixed: bool, cache: bool) -> Closing:
        """So many tokens as can be counted in a small part of a run of so many seconds."""
        tokens = min(MAX_NGRAM_TOKENS, NGRAM_TIME_FRACTION * max(0, seconds) / SECONDS_PER_TOKEN)
        return cls(mixed, cache, max(1, int(tokens)))

    def seconds(self, network: NetworkConfig, corpus: Corpus, valid_tokens: int) -> float:
        """How long it will take, estimated; valid_tokens: of the validation text, at most."""
        if network.bidirectional:
            return 0.0
        held_out = min(len(corpus.valid), valid_tokens)
        counting = SECONDS_PER_TOKEN * (min(self.max_tokens, len(corpus.train)) + held_out)
        if not self.mixed:
            return counting
        weights = sum(math.prod(shape) for shape in network.shapes().values() if len(shape) > 1)
        return MIXING_SECONDS + counting + 2 * weights * held_out / NUMPY_FLOPS_PER_SECOND

    def finish(
        self,
        outcome: Outcome,
        corpus: Corpus,
        network: NetworkConfig,
        valid_tokens: int,
        events: Events,
    ) -> Outcome:
        """The outcome of a run with the n-gram model; a bidirectional network has none beside it.

        valid_tokens: of the validation text, from its start.
        """
        if network.bidirectional:
            return outcome
        if self.mixed:
            return self._mix(outcome, corpus, valid_tokens, events)
        if outcome.interrupted:
            return outcome
        return replace(
            outcome, baseline=count_ngrams(corpus, valid_tokens, self.max_tokens, events)
        )

    def _mix(self, outcome: Outcome, corpus: Corpus, valid_tokens: int, events: Events) -> Outcome:
        """Turn the model of a run into a mixture, its weights fitted to the validation text."""
        tokenizer, size = corpus.tokenizer, corpus.valid_text
        counted = count_text(corpus, self.max_tokens, events)
        network = model_parts.part(model_file.read(outcome.model), 0)
        lm = counted.lm
        ngram = model_file.ModelFile("ngram", lm.config(), tokenizer, lm.tensors())
        held_out = np.asarray(corpus.valid[:valid_tokens])
        found = fit_mixture([network, ngram], held_out, cache=self.cache)
        raw = measure("", held_out, found.nats, tokenizer.unk)
        best = raw.scale_to(len(corpus.valid), size.chars, size.bytes).as_dict()
        training = {**network.training, "best": best, "network": network.training.get("best")}
        model_file.write(outcome.model, found.contents(training))
        return replace(
            outcome,
            best=best,
            network=outcome.best,
            baseline=counted.baseline(found.fit.parts[1]),
        )
