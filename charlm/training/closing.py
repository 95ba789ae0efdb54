"""What follows a network's last step: an n-gram model of the same text, mixed in or beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..config import NetworkConfig
from ..lm import LanguageModel, causal
from ..models import model_file, model_parts
from ..models.combined import CombinedLM
from ..models.log_linear import LogLinearLM, stride
from ..models.mixture import MixtureLM
from ..network.bulk_scoring import on_device
from ..runs.baseline import (
    MAX_COMPARED_TOKENS,
    MAX_MIXED_TOKENS,
    SECONDS_PER_TOKEN,
    count_ngrams,
    count_text,
)
from ..runs.events import Events, Outcome
from ..runs.mixture_run import NO_CACHE, fit_mixture
from ..tasks.measure import measure_ids
from ..text.corpus import Corpus

MIXED_TIME_FRACTION = 0.1  # of a run's time, for an n-gram model that is mixed in
COMPARED_TIME_FRACTION = 0.05  # for one that is only compared with
MIN_TOKENS = 1000  # that an n-gram model is worth counting from
FLOPS_PER_SECOND = 1e11  # of the network on held-out text: measured on two Zen 5 cores
MAX_NORMALISED = 512  # vocabulary size up to which a log-linear mixture is tried as well
SECONDS_PER_PROBABILITY = 0.16e-6  # of which it takes one for each token and place
MIXING_SECONDS = 1.5  # besides counting and scoring: to write and read the model


@dataclass(frozen=True)
class Closing:
    """What is done with the n-gram model."""

    mixed: bool  # into the model, rather than only measured beside it
    cache: bool  # over the mixture
    max_tokens: int  # of the training text, to count; 0: there is no n-gram model

    @classmethod
    def within(cls, seconds: float, *, mixed: bool, cache: bool) -> Closing:
        """As many tokens as can be counted in a small part of a run of so many seconds."""
        most = MAX_MIXED_TOKENS if mixed else MAX_COMPARED_TOKENS
        fraction = MIXED_TIME_FRACTION if mixed else COMPARED_TIME_FRACTION
        tokens = int(min(most, fraction * max(0, seconds) / SECONDS_PER_TOKEN))
        return cls(mixed, cache, tokens if tokens >= MIN_TOKENS else 0)

    @classmethod
    def recorded(cls, record: Mapping[str, Any], level: str) -> Closing:
        """That of a run, from its config.toml; of an older one, as it was then."""
        mixed = not record.get("plain", not record.get("with_ngram", False))
        most = MAX_MIXED_TOKENS if mixed else MAX_COMPARED_TOKENS
        tokens = int(record.get("ngram_tokens", most))
        return cls(mixed, bool(record.get("cache", mixed and level == "word")), tokens)

    def as_record(self) -> dict[str, Any]:
        """For config.toml."""
        return {"plain": not self.mixed, "cache": self.cache, "ngram_tokens": self.max_tokens}

    def seconds(
        self, network: NetworkConfig, corpus: Corpus, valid_tokens: int, device: str
    ) -> float:
        """How long it will take, estimated; valid_tokens: of the validation text, at most."""
        if network.bidirectional or not self.max_tokens:
            return 0.0
        held_out = min(len(corpus.valid), valid_tokens)
        counting = SECONDS_PER_TOKEN * (min(self.max_tokens, len(corpus.train)) + held_out)
        if not self.mixed:
            return counting
        weights = sum(math.prod(shape) for shape in network.shapes().values() if len(shape) > 1)
        scoring = 2 * weights * held_out / FLOPS_PER_SECOND if device == "cpu" else 0.0
        V = network.vocab_size
        multiplying = SECONDS_PER_PROBABILITY * V * held_out if V <= MAX_NORMALISED else 0.0
        if multiplying and stride(held_out, V) > 1:  # fitted to a part, and then read as a whole
            scoring, multiplying = 2 * scoring, 2 * multiplying
        return MIXING_SECONDS + counting + scoring + multiplying

    def finish(
        self,
        outcome: Outcome,
        corpus: Corpus,
        network: NetworkConfig,
        valid_tokens: int,
        device: str,
        events: Events,
    ) -> Outcome:
        """The outcome of a run with its n-gram model, unless it was interrupted, or is now.

        A bidirectional network has none. valid_tokens: of the validation text, from its start.
        """
        if network.bidirectional or outcome.interrupted or not self.max_tokens:
            return outcome
        try:
            if self.mixed:
                return self._mix(outcome, corpus, valid_tokens, device, events)
            baseline = count_ngrams(corpus, valid_tokens, self.max_tokens, events)
        except KeyboardInterrupt:  # the network is saved, and a resumed run begins here
            return replace(outcome, interrupted=True)
        return replace(outcome, baseline=baseline)

    def _mix(
        self, outcome: Outcome, corpus: Corpus, valid_tokens: int, device: str, events: Events
    ) -> Outcome:
        """Turn the model of a run into a mixture, its weights fitted to the validation text."""
        tokenizer, size = corpus.tokenizer, corpus.valid_text
        counted = count_text(corpus, self.max_tokens, events)
        network = model_parts.part(model_file.read(outcome.model), 0)
        lm = counted.lm
        ngram = model_file.ModelFile("ngram", lm.config(), tokenizer, lm.tensors())
        held_out = np.asarray(corpus.valid[:valid_tokens])

        def moved(lm: LanguageModel) -> LanguageModel:
            return on_device(causal(lm), device)

        events.stage("mix", 0.0)
        kinds: tuple[type[CombinedLM], ...]
        kinds = (MixtureLM, LogLinearLM) if tokenizer.vocab_size <= MAX_NORMALISED else (MixtureLM,)
        found = fit_mixture([network, ngram], held_out, kinds, cache=self.cache, change=moved)
        events.stage("mix", 1.0)
        if self.cache and found.cache is None:
            events.warn(NO_CACHE)
        raw = measure_ids(held_out, found.nats, tokenizer.unk)
        best = raw.scale_to(len(corpus.valid), size.chars, size.bytes).as_dict()
        training = {**network.training, "best": best, "network": network.training.get("best")}
        model_file.write(outcome.model, found.contents(training))
        return replace(
            outcome,
            best=best,
            network=outcome.best,
            baseline=counted.baseline(found.fit.parts[1]),
        )
