"""Checkpoints: everything a bit-identical resume needs, in one file written atomically.

Weights, optimiser moments, generator states, hidden state and position in the streams.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from numbers import Real
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..config import MAX_THREADS, NetworkConfig, TrainConfig
from ..errors import CharlmError
from ..network.network import Network, NetworkState
from ..system import tensor_file
from ..system.checked import checked
from . import optimiser

KIND = "charlm-checkpoint"
GENERATOR_NUMBERS = 624  # of torch's generator on a CPU


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


@dataclass(frozen=True)
class Saved:
    """A checkpoint as it was read."""

    path: Path
    progress: dict[str, Any]
    tensors: tensor_file.Tensors


def read(path: Path, settings: Mapping[str, Any]) -> Saved:
    """Read a checkpoint of the run that `settings` identify.

    Raises CharlmError if the file is damaged or comes from a run with different settings.
    """
    contents, tensors = tensor_file.read(path, KIND)
    try:
        saved = checked(contents, _Contents, "it")
        progress = saved["progress"]
        checked(progress, Progress, "progress")
        _check(Progress(**progress))
        theirs = {  # fields unknown to an older charlm get their defaults
            "network": NetworkConfig.from_dict(saved["settings"]["network"]).as_dict(),
            "training": TrainConfig.from_dict(saved["settings"]["training"]).as_dict(),
            "corpus": saved["settings"]["corpus"],
        }
    except (ValueError, CharlmError) as error:
        raise tensor_file.damaged(path, str(error)) from None
    if theirs != settings:
        differing = _difference(theirs, settings)
        raise CharlmError(
            f"{path} is from a run with different settings ({differing}): "
            "training cannot resume with these"
        )
    return Saved(path, progress, tensors)


def restore(
    saved: Saved, network: Network, optimizer: torch.optim.Optimizer, batch_size: int
) -> tuple[Progress, NetworkState]:
    """Load a checkpoint into `network` and `optimizer`; return progress and hidden state.

    Raises CharlmError if a tensor is not what these call for; they are then as they were.
    """
    path = saved.path
    wrong = _misfit(saved.tensors, network, optimizer, batch_size)
    if wrong:
        raise tensor_file.damaged(path, wrong)
    if not _is_generator(saved.tensors["generator/cpu"]):
        raise tensor_file.damaged(path, "the state of the random generator is none")
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in saved.tensors.items()}
    device = network.output.bias.device
    try:
        torch.set_rng_state(tensors["generator/cpu"])
        if "generator/cuda" in tensors and torch.cuda.is_available():
            torch.cuda.set_rng_state(tensors["generator/cuda"])
    except RuntimeError as error:
        raise tensor_file.damaged(path, str(error).splitlines()[0]) from None
    with torch.no_grad():
        for name, p in network.named_parameters():
            p.copy_(tensors[f"weights/{name}"])
    optimiser.set_state(optimizer, network, _under("optimizer/", tensors))
    hidden = _under("state/", tensors)
    state = tuple(
        tuple(hidden[f"{k}/{part}"].to(device) for part in range(len(layer)))
        for k, layer in enumerate(network.start(1))
    )
    return Progress(**saved.progress), state


class _Best(TypedDict):
    """The measures of the best validation, as `Measures.as_dict`."""

    tokens: int
    chars: int
    bytes: int
    oov: int
    logprob: float
    perplexity: Real
    perplexity_excluding_oov: Real
    nats_per_char: float
    bits_per_char: float
    bits_per_byte: float


class _Settings(TypedDict):
    network: dict[str, Any]
    training: dict[str, Any]
    corpus: str


class _Contents(TypedDict):
    settings: _Settings
    progress: dict[str, Any]


def _check(progress: Progress) -> None:
    """Raise ValueError if a number is out of bounds."""
    p = progress
    if min(p.step, p.steps, p.threads, p.max_steps, p.best_step, p.stalled, p.rollbacks) < 0:
        raise ValueError("a number in progress is negative")
    if not (0 <= p.annealed <= 1 and 0 <= p.lr_scale <= 1 and p.threads <= MAX_THREADS):
        raise ValueError("a number in progress is out of bounds")
    if p.best_nats is not None:
        checked(p.best, _Best, "progress.best")
    if len(p.kept) not in (0, 2):
        raise ValueError("progress.kept must have two numbers, or none")


def _misfit(
    arrays: tensor_file.Tensors,
    network: Network,
    optimizer: torch.optim.Optimizer,
    batch_size: int,
) -> str:
    """What is wrong with the tensors of a checkpoint; nothing if all is as it should be."""
    needed = {f"weights/{name}": tuple(p.shape) for name, p in network.named_parameters()}
    for k, layer in enumerate(network.start(batch_size)):
        needed |= {f"state/{k}/{part}": tuple(t.shape) for part, t in enumerate(layer)}
    needed["generator/cpu"] = tuple(torch.get_rng_state().shape)
    for name, moments in optimiser.state_shapes(optimizer, network).items():
        expected = {f"optimizer/{name}/{key}": shape for key, shape in moments.items()}
        if expected.keys() & arrays.keys():  # none before the first update
            needed |= expected
    for name in sorted((needed.keys() ^ arrays.keys()) - {"generator/cuda"}):
        return f"the tensor {name!r} {'is missing' if name in needed else 'does not belong there'}"
    for name, array in arrays.items():
        dtype = np.uint8 if name.startswith("generator/") else np.float32
        shape = needed.get(name, array.shape)
        if array.dtype != dtype or array.shape != shape:
            of = f"{np.dtype(dtype)} {shape}"
            return f"the tensor {name!r} is {array.dtype} {array.shape}, not {of}"
    return ""


def _is_generator(state: npt.NDArray[np.uint8]) -> bool:
    """Whether torch can go on from this state of its Mersenne Twister: it reads without looking.

    Of its 624 numbers, `left` − 1 are still to be taken, from number `next` on.
    """
    (left,), (place,) = state[8:12].view(np.int32), state[16:24].view(np.uint64)
    return 1 <= left <= GENERATOR_NUMBERS and int(place) + int(left) <= GENERATOR_NUMBERS + 1


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
