"""The optimiser: learning rate schedule, gradient clipping, parameter groups, saved state."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from ..config import TrainConfig
from ..network.network import Network
from . import row_gradients
from .muon import Muon

MANY_INPUTS = 512  # of the first layer; its rate is smaller where there are more


def learning_rate(config: TrainConfig, step: int, annealed: float, warmup: int) -> float:
    """The rate at `step` (0-based): `warmup` steps of linear increase, then the schedule.

    cosine: min + (peak − min) · ½ (1 + cos π p), p = `annealed`, the fraction of the steps after
    warm-up that is done (Loshchilov and Hutter 2017). constant and plateau: the peak (a plateau's
    halvings come from validation and are applied outside).
    """
    if step < warmup:
        return config.lr * (step + 1) / warmup
    if config.schedule != "cosine":
        return config.lr
    return config.min_lr + (config.lr - config.min_lr) * 0.5 * (1 + math.cos(math.pi * annealed))


def clip(config: TrainConfig, parameters: Iterable[nn.Parameter]) -> float:
    """Clip gradients in place; return the L2 norm of the whole gradient before clipping.

    Value: every entry into [−c, c] (Mikolov 2012). Max: the whole gradient scaled so that its
    largest entry is at most c. Norm: the whole scaled so that ‖g‖₂ ≤ c (Pascanu et al. 2013).
    """
    gradients = row_gradients.parts(parameters)
    norm = float(torch.nn.utils.get_total_norm(gradients))
    if not math.isfinite(norm):
        return norm
    if config.clip_value:
        for g in gradients:
            g.clamp_(-config.clip_value, config.clip_value)
    scale = 1.0
    if config.clip_max:
        largest = max(float(g.abs().max()) for g in gradients)
        scale = min(scale, config.clip_max / max(largest, 1e-30))
    if config.clip_norm:
        now = float(torch.nn.utils.get_total_norm(gradients)) if config.clip_value else norm
        scale = min(scale, config.clip_norm / max(now, 1e-30))
    if scale < 1.0:
        torch._foreach_mul_(gradients, scale)
    return norm


def build(config: TrainConfig, network: nn.Module) -> torch.optim.Optimizer:
    """The configured optimiser; weight decay applies to matrices only, never to biases.

    Muon takes what maps hidden states to hidden states, peepholes included, and AdamW the rest. Of
    a network with a sampled softmax, it updates only the rows of words that a step has used.

    Beside Muon, the rate of the first layer's input weights falls with their number of inputs I, as
    512 / I: AdamW changes every weight by about the rate, and what a unit receives by I times that
    (Yang et al. 2021). Wide networks of words went astray without it (docs/decisions/0038).
    """
    named = {name: p for name, p in network.named_parameters() if p.requires_grad}
    muon = [p for name, p in named.items() if config.optimizer == "muon" and _hidden(name, p)]
    by_row: list[nn.Parameter] = []
    if config.optimizer == "muon" and isinstance(network, Network) and network.softmax_sample:
        network.rows_only = True
        by_row = network.by_word()
    taken = {id(p) for p in [*muon, *by_row]}
    wide = [p for name, p in named.items() if muon and id(p) not in taken and _many_inputs(name, p)]
    taken |= {id(p) for p in wide}
    others = [p for p in named.values() if id(p) not in taken]
    decay = config.weight_decay
    groups: list[dict[str, Any]] = [
        {"params": [p for p in others if p.dim() >= 2], "weight_decay": decay},
        {"params": [p for p in others if p.dim() < 2], "weight_decay": 0.0},
    ]
    for p in wide:
        factor = MANY_INPUTS / p.shape[1]
        groups.append({"params": [p], "weight_decay": decay, "rate_factor": factor})
    if config.optimizer == "muon":
        return Muon(
            muon,
            groups,
            lr=config.lr,
            beta2=config.beta2,
            weight_decay=config.weight_decay,
            precision=torch.bfloat16 if config.precision == "bf16" else torch.float32,
            scale=config.muon_scale,
            interval=config.muon_interval,
            by_row=by_row,
        )
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum, fused=True)
    adam = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
    return adam(groups, lr=config.lr, betas=(0.9, config.beta2), fused=True)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Take the next step at this learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("rate_factor", 1.0)


def _many_inputs(name: str, p: nn.Parameter) -> bool:
    """Whether these are input weights, (4H, I), of more inputs than `MANY_INPUTS`."""
    return "weight_ih" in name and p.shape[1] > MANY_INPUTS


def _hidden(name: str, p: nn.Parameter) -> bool:
    """Whether a parameter maps hidden states to hidden states."""
    stack, layer, *_ = f"{name}..".split(".")
    inner = p.dim() == 2 and not (layer == "0" and "weight_ih" in name)
    return stack in ("rnn", "back") and inner


def state_shapes(
    optimizer: torch.optim.Optimizer, network: nn.Module
) -> dict[str, dict[str, tuple[int, ...]]]:
    """For each parameter the names and shapes of its moments, once it has been updated."""
    found, names = {}, tuple[str, ...]()
    for name, p in network.named_parameters():
        shape = tuple(p.shape)
        if isinstance(optimizer, Muon) and optimizer.orthogonalises(p):
            names = ("momentum",) if optimizer.interval == 1 else ("momentum", "update", "step")
        elif isinstance(optimizer, torch.optim.SGD):
            names = ("momentum_buffer",) * bool(optimizer.defaults["momentum"])
        else:
            names = ("exp_avg", "exp_avg_sq", "step")
        found[name] = {key: (1,) if key == "step" else shape for key in names}
    return found


def get_state(optimizer: torch.optim.Optimizer, network: nn.Module) -> dict[str, Tensor]:
    """Moments under `parameter/key` names, for a checkpoint."""
    return {
        f"{name}/{key}": value
        for name, p in network.named_parameters()
        for key, value in optimizer.state.get(p, {}).items()
        if isinstance(value, Tensor)
    }


def set_state(
    optimizer: torch.optim.Optimizer, network: nn.Module, state: dict[str, Tensor]
) -> None:
    """Restore what `get_state` returned."""
    parameters = dict(network.named_parameters())
    optimizer.state.clear()
    for full, value in state.items():
        name, key = full.rsplit("/", 1)
        p = parameters[name]
        kept = value.to(p.device) if key == "step" else value.to(p.device, p.dtype)
        optimizer.state[p][key] = kept.clone()
