"""Checkpoints: everything a bit-identical resume needs, in one file written atomically.

Weights, optimiser moments, generator states, hidden state and position in the streams.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..config import NetworkConfig, TrainConfig
from ..errors import CharlmError
from ..network.network import Network, NetworkState
from ..system import tensor_file
from . import optimiser

KIND = "charlm-checkpoint"


@dataclass
class Progress:
    """Where a run is. Mutable: the training loop updates it."""

    step: int = 0  # optimiser steps done; also the position in the streams
    steps: int = 0  # in total, as currently planned
    threads: int = 0  # in use; 0: those of the settings
    seconds_left: float = 0.0  # of a run by the clock; 0: it ends by steps
    max_steps: int = 0  # of a run by the clock; 0: no limit
    ended_early: bool = False  # of a run by the clock: validation no longer improved
    regular: bool = False  # whether a run by the clock validates every so many steps nonetheless
    annealed: float = 0.0  # fraction of the steps after warm-up that is done
    lr_scale: float = 1.0  # factor on the learning rate, from plateaus and roll-backs
    best_nats: float | None = None  # best validation so far, nats per token
    best_step: int = 0
    best: dict[str, Any] = field(default_factory=dict)  # its measures
    kept: list[float] = field(default_factory=list)  # bits/char of the old text: at first, at best
    stalled: int = 0  # validations since the best
    rollbacks: int = 0
    seconds: float = 0.0  # of training so far, over all sessions


def write(
    path: Path,
    settings: Mapping[str, Any],
    progress: Progress,
    network: Network,
    optimizer: torch.optim.Optimizer,
    state: NetworkState,
) -> None:
    """Write a checkpoint atomically. `settings` identify the run it belongs to."""
    tensors: dict[str, Tensor] = {f"weights/{n}": p for n, p in network.named_parameters()}
    tensors |= {f"optimizer/{n}": t for n, t in optimiser.get_state(optimizer, network).items()}
    tensors |= {
        f"state/{k}/{part}": t for k, layer in enumerate(state) for part, t in enumerate(layer)
    }
    tensors["generator/cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["generator/cuda"] = torch.cuda.get_rng_state()
    arrays = {name: t.detach().cpu().numpy() for name, t in tensors.items()}
    tensor_file.write(path, KIND, {"settings": settings, "progress": asdict(progress)}, arrays)


def read(
    path: Path,
    settings: Mapping[str, Any],
    network: Network,
    optimizer: torch.optim.Optimizer,
) -> tuple[Progress, NetworkState]:
    """Load a checkpoint into `network` and `optimizer`; return progress and hidden state.

    Raises CharlmError if the file is damaged or comes from a run with different settings.
    """
    contents, arrays = tensor_file.read(path, KIND)
    theirs = dict(contents.get("settings", {}))
    # fields unknown to an older charlm get their defaults
    if "network" in theirs:
        theirs["network"] = NetworkConfig.from_dict(theirs["network"]).as_dict()
    if "training" in theirs:
        theirs["training"] = TrainConfig.from_dict(theirs["training"]).as_dict()
    if theirs != settings:
        differing = _difference(theirs, settings)
        raise CharlmError(
            f"{path} is from a run with different settings ({differing}): "
            "training cannot resume with these"
        )
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
    device = network.output.bias.device
    with torch.no_grad():
        for name, p in network.named_parameters():
            p.copy_(tensors[f"weights/{name}"])
    optimiser.set_state(optimizer, network, _under("optimizer/", tensors))
    torch.set_rng_state(tensors["generator/cpu"])
    if "generator/cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["generator/cuda"])
    hidden = _under("state/", tensors)
    parts = 1 + max(int(name.split("/")[1]) for name in hidden)
    state = tuple(
        tuple(hidden[f"{k}/{part}"].to(device) for part in range(parts))
        for k in range(network.config.layers)
    )
    return Progress(**contents["progress"]), state


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def _difference(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    """The first setting in which two runs differ, for a message."""
    for part in ours:
        mine, other = ours[part], theirs.get(part)
        if isinstance(mine, dict) and isinstance(other, dict):
            for name in mine:
                if mine[name] != other.get(name):
                    return f"{name} {other.get(name)!r}, not {mine[name]!r}"
        elif mine != other:
            return f"{part} {other!r}, not {mine!r}"
    return "settings this charlm does not know"
