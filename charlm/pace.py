"""How fast this machine trains this network: measured on a throwaway copy before the run.

The answers, a precision and a number of steps, become settings of the run, so that it can be
repeated exactly and the schedule knows its end from the first step.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch

from . import optimise
from .config import NetworkConfig, TrainConfig
from .corpus import Streams
from .network import DTYPES, Network, detach

BF16_MUST_WIN = 1.1  # times faster than fp32, or its coarser numbers are not worth it


def choose_device(wanted: str) -> str:
    """`auto` is CUDA where there is one, else the CPU."""
    return ("cuda" if torch.cuda.is_available() else "cpu") if wanted == "auto" else wanted


@contextmanager
def one_thread() -> Iterator[None]:
    """Within, torch's products run on one thread: for many small ones.

    Threads wait for each other by spinning. Where other work had the second core, following a
    gradient through 64 steps took 12 s on two threads and 0.2 s on one.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def has_bf16(device: str) -> bool:
    """Whether the hardware multiplies bf16 matrices natively (AMX, AVX512-BF16, recent GPUs)."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    probe = getattr(torch.cpu, "get_capabilities", None)
    if probe is None:  # older torch
        return bool(getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)())
    found = probe()
    return bool(found.get("avx512_bf16") or found.get("amx_bf16"))


def usual_precision(network: NetworkConfig, device: str) -> str:
    """bf16 where the hardware has it, but for small layers (192 units: an estimate)."""
    return "bf16" if has_bf16(device) and network.hidden >= 192 else "fp32"


def seconds_per_step(
    network: NetworkConfig, config: TrainConfig, streams: Streams, seconds: float
) -> float:
    """Seconds of an optimiser step: the lower quartile over about `seconds`, after a warm-up.

    The quartile, because other work on the machine only ever makes a step slower.
    """
    trial = start(network, config)
    optimizer = optimise.build(config, trial)
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
        optimise.clip(config, trial.parameters())
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
    """The configuration with its precision settled, and seconds per step under it.

    `precision` None means: bf16 where the hardware has it and a few timed steps confirm it.
    """
    if precision is not None or not has_bf16(config.device):
        config = replace(config, precision=precision or "fp32")
        return config, seconds_per_step(network, config, streams, 1.5)
    plain, brief = (replace(config, precision=p) for p in ("fp32", "bf16"))
    slow = seconds_per_step(network, plain, streams, 0.4)
    fast = seconds_per_step(network, brief, streams, 1.2)
    return (brief, fast) if slow > BF16_MUST_WIN * fast else (plain, slow)


def start(network: NetworkConfig, config: TrainConfig) -> Network:
    """A freshly initialised network on its device, ready to train."""
    fresh = Network(network)
    fresh.initialise(config.seed)
    fresh.precision = DTYPES[config.precision]
    fresh.train()
    return fresh.to(config.device)
