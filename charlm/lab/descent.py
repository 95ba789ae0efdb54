"""How experiments with layers of torch's own train: clipped steps, with a rate that falls."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

CLIP_NORM = 1.0


def take_step(
    optimizer: torch.optim.Optimizer,
    weights: Iterable[Tensor],
    loss: Tensor,
    rate: float,
    done: float,
) -> None:
    """One step down the gradient of `loss`, clipped by its norm.

    rate: the learning rate, which falls to zero over the second half; done: the part of the
    training that lies behind.
    """
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(weights, CLIP_NORM)
    for group in optimizer.param_groups:
        group["lr"] = rate * min(1.0, 2 * (1 - done))
    optimizer.step()


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean nats of targets (…) under logits (…, K), where a target is not −1."""
    return nn.functional.cross_entropy(
        logits.reshape(-1, logits.shape[-1]), targets.reshape(-1), ignore_index=-1
    )
