"""Where a network runs, in what precision, and on how many threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ..config import NetworkConfig


def choose_device(device: str) -> str:
    """Resolve `auto`: CUDA if available, otherwise the CPU."""
    return ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread within: for many small matrix products.

    Threads wait for each other by spinning. With other work on the second core, following a
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


def default_precision(network: NetworkConfig, device: str) -> str:
    """bf16 if the hardware has it, except for small layers (192 units: an estimate)."""
    return "bf16" if has_bf16(device) and network.hidden >= 192 else "fp32"
