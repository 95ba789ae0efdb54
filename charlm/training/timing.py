"""Time a few training steps, on a throwaway copy of the network, before the run.

The result, a precision and a number of steps, becomes part of the run's settings, so that it can be
repeated exactly and the schedule knows its end from the first step.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import replace

import torch

from ..config import NetworkConfig, TrainConfig
from ..network.device import has_bf16
from ..network.network import detach, new_network
from . import optimiser
from .streams import Streams

MIN_BF16_SPEEDUP = 1.1  # over fp32; otherwise its lower precision is not worth it


def seconds_per_step(
    network: NetworkConfig, config: TrainConfig, streams: Streams, seconds: float
) -> float:
    """Seconds per optimiser step: the lower quartile over about `seconds`, after a warm-up.

    A low quantile, because other work on the machine can only make a step slower.
    """
    trial = new_network(network, config)
    optimizer = optimiser.build(config, trial)
    state = trial.start(config.batch_size)
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < 3 or (time.perf_counter() - began < seconds and len(times) < 200):
        before = time.perf_counter()
        batch = streams.next()
        loss, state = trial(
            torch.from_numpy(batch.x_TB).to(config.device),
            torch.from_numpy(batch.y_TB).to(config.device),
            state,
        )
        state = detach(state)
        loss.backward()
        optimiser.clip(config, trial.parameters())
        optimizer.step()
        optimizer.zero_grad()
        if config.device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - before)
        if len(times) == 1:
            began = time.perf_counter()
    streams.seek(0)
    return statistics.quantiles(times[1:], n=4)[0]


def measure(
    network: NetworkConfig, config: TrainConfig, streams: Streams, precision: str | None
) -> tuple[TrainConfig, float]:
    """The configuration with its precision fixed, and its seconds per step.

    `precision` None: bf16 if the hardware has it and a few timed steps confirm that it is faster.
    """
    if precision is not None or not has_bf16(config.device):
        config = replace(config, precision=precision or "fp32")
        return config, seconds_per_step(network, config, streams, 1.5)
    full, half = (replace(config, precision=p) for p in ("fp32", "bf16"))
    slow = seconds_per_step(network, full, streams, 0.4)
    fast = seconds_per_step(network, half, streams, 1.2)
    return (half, fast) if slow > MIN_BF16_SPEEDUP * fast else (full, slow)
