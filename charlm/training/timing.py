"""Time a few training steps, on a throwaway copy of the network, before a run by the clock.

The result is a precision, a number of threads, and a first estimate of the speed.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import replace

import torch

from ..config import NetworkConfig, TrainConfig
from ..lm import Ids
from ..network.device import has_bf16
from .replica import Replica
from .thread_tuner import FEWER_THREADS_SPEEDUP

MIN_BF16_SPEEDUP = 1.1  # over fp32; otherwise its lower precision is not worth it
WARM_UP_COST = 8  # steps that the first one may take as long as
BRIEF, LONG = 0.4, 1.0  # seconds of trials that compare, and of the one whose result is used


def seconds_per_step(
    network: NetworkConfig,
    config: TrainConfig,
    ids: Ids,
    seconds: float,
    limit: float = float("inf"),
) -> float:
    """Seconds per optimiser step: the mean over about `seconds`, after a warm-up step.

    ids: the training text, (N,). If the second step takes longer than `limit` seconds, or the
    warm-up much longer, no more are made.
    """
    torch.set_num_threads(config.threads)
    trial = Replica(network, config, ids)
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < 3 or (time.perf_counter() - began < seconds and len(times) < 200):
        before = time.perf_counter()
        trial.gradients(len(times))
        trial.update(config.lr)
        if config.device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - before)
        if len(times) == 1:
            began = time.perf_counter()
        if len(times) < 3 and times[-1] > (limit if len(times) == 2 else WARM_UP_COST * limit):
            break
    return statistics.fmean(times[1:] or times)


def measure(
    network: NetworkConfig,
    config: TrainConfig,
    ids: Ids,
    precision: str | None,
    threads: Sequence[int],
    limit: float = float("inf"),
) -> tuple[TrainConfig, float]:
    """The configuration with precision and threads fixed, and its seconds per step.

    `precision` None: bf16 if the hardware has it and a few timed steps confirm that it is faster.
    `threads`: numbers to choose from, the largest first; smaller ones are tried for as long as that
    helps noticeably. A network whose first step takes longer than `limit` seconds is not measured
    further.
    """
    half = precision is None and has_bf16(config.device)
    config = replace(config, precision="bf16" if half else precision or "fp32", threads=threads[0])
    best = seconds_per_step(network, config, ids, LONG, limit)
    for count in threads[1:]:
        fewer = replace(config, threads=count)
        seconds = seconds_per_step(network, fewer, ids, BRIEF, limit)
        if seconds * FEWER_THREADS_SPEEDUP > best:
            break
        config, best = fewer, seconds
    if half and best <= limit:
        full = replace(config, precision="fp32")
        seconds = seconds_per_step(network, full, ids, BRIEF)
        if seconds < MIN_BF16_SPEEDUP * best:
            return full, seconds
    return config, best
