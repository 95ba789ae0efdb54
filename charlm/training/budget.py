"""Turn a duration into settings: precision, threads, width, steps, validations, dropout."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from ..config import NetworkConfig, TrainConfig
from ..lm import Ids
from ..network.device import default_precision
from ..runs import defaults
from ..runs.defaults import Facts
from ..runs.options import TrainRunOptions
from ..system import threads
from ..text.corpus import Corpus
from . import timing
from .plan import MAX_VALIDATIONS, VALIDATION_COST, VALIDATION_TIME_FRACTION
from .streams import Streams

MIN_STEPS_PER_UNIT = 1.7  # of width; with fewer, a narrower network is better
MIN_HIDDEN = 64
MIN_VALID_TOKENS = 8192  # of a validation that has to be quick


def thread_counts(config: TrainConfig, given: int | None) -> list[int]:
    """The numbers of threads to choose from, the largest first."""
    if given:
        return [given]
    if config.device != "cpu":
        return [config.threads]
    most = config.threads
    found = {most, min(most, threads.free_cores()), (most + 1) // 2, 1}
    return sorted(found, reverse=True)


def fix_settings(
    network: NetworkConfig,
    config: TrainConfig,
    corpus: Corpus,
    facts: Facts,
    options: TrainRunOptions,
    settings: Mapping[str, Any],
    counts: Sequence[int],
    deadline: float,
    *,
    processes: int = 1,
) -> tuple[NetworkConfig, TrainConfig, float]:
    """The settings of the run, and its seconds per step, NaN unless it ends by the clock.

    By the clock (`deadline` finite, on that of time.monotonic), precision, threads and width are
    chosen by timing a few steps; otherwise by rule, since the same settings must give the same run.
    """
    streams = Streams(corpus.train, config.batch_size, config.bptt, config.seed)
    tokens_per_step, valid_tokens = config.batch_size * config.bptt, config.valid_tokens
    seconds_per_step = math.nan
    if math.isfinite(deadline):
        own = replace(config, batch_size=-(-config.batch_size // processes))  # of this process
        network, fitted, seconds_per_step = fit_to_time(
            network, own, corpus.train, facts, settings, counts, deadline
        )
        config = replace(fitted, batch_size=config.batch_size)
        left = max(0.0, deadline - time.monotonic())
        steps = max(1, int(left * (1 - VALIDATION_TIME_FRACTION) / seconds_per_step))
        if settings.get("valid_tokens") is None:
            in_time = VALIDATION_TIME_FRACTION / 4 * left / seconds_per_step * tokens_per_step
            valid_tokens = min(valid_tokens, max(MIN_VALID_TOKENS, int(in_time / VALIDATION_COST)))
    else:
        if settings.get("precision") is None:
            config = replace(config, precision=default_precision(network, config.device))
        if options.steps is not None:
            steps = options.steps
        else:
            assert options.epochs is not None
            steps = max(1, round(options.epochs * streams.steps_per_epoch))
    cost = min(len(corpus.valid), valid_tokens) * VALIDATION_COST / tokens_per_step  # in steps
    affordable = int(VALIDATION_TIME_FRACTION * steps / max(cost, 1e-9))
    validations = max(4, min(MAX_VALIDATIONS, affordable))
    config = replace(
        config,
        steps=steps,
        eval_every=settings.get("eval_every") or max(1, math.ceil(steps / validations)),
        warmup=min(config.warmup, max(1, steps // 10)),
        valid_tokens=valid_tokens,
    )
    epochs = steps / streams.steps_per_epoch
    config = defaults.rate(config, settings, facts, fine_tuning=options.init_from is not None)
    network = defaults.dropout(network, settings, facts, epochs, options.dropout)
    return network, config, seconds_per_step


def fit_to_time(
    network: NetworkConfig,
    config: TrainConfig,
    ids: Ids,
    facts: Facts,
    settings: Mapping[str, Any],
    counts: Sequence[int],
    deadline: float,
) -> tuple[NetworkConfig, TrainConfig, float]:
    """Precision, threads and, unless it was given, width such that enough steps fit in the time.

    Returns the configurations and seconds per step.
    """
    narrower = settings.get("hidden") is None and settings.get("embed") is None
    while True:
        left = deadline - time.monotonic()
        min_steps = MIN_STEPS_PER_UNIT * network.hidden
        enough = left * (1 - VALIDATION_TIME_FRACTION) / min_steps  # seconds per step
        try_less = narrower and network.hidden > MIN_HIDDEN
        fitted, seconds_per_step = timing.measure(
            network,
            config,
            ids,
            settings.get("precision"),
            counts,
            2 * enough if try_less else math.inf,
        )
        if seconds_per_step <= enough or not try_less:
            torch.set_num_threads(fitted.threads)
            return network, fitted, seconds_per_step
        network = defaults.network({**settings, "hidden": network.hidden // 2}, facts)
