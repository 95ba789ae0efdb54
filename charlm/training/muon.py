"""The Muon optimiser: momentum with orthogonalised updates (Jordan et al. 2024).

The gradient of a recurrent matrix is dominated by a few directions. Muon takes the momentum M = U S
Vᵀ and steps by U Vᵀ, so that all directions count equally. Embedding, softmax and biases are left
to AdamW, or, where few of their rows have gradients, to Adam by rows.

The momentum turns slowly, so U Vᵀ need not be computed at every step (docs/decisions/0021).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

MOMENTUM = 0.95
UPDATE_RMS = (
    0.05  # of an update's entries, relative to the learning rate, so that AdamW's rate suits both
)
# Odd polynomials a·x + b·x³ + c·x⁵ which, one after another, take singular values from [0.01, 1]
# into [0.72, 1.28]: each is the minimax fit to 1 of what the one before leaves, with a hundredth to
# spare for bf16 (the method of Amsel et al. 2025, "The Polar Express"; here for three steps).
POLYNOMIALS = (
    (7.634717, -21.463592, 15.46015),
    (3.756372, -2.983211, 0.623309),
    (2.687213, -2.003643, 0.457807),
)


def orthogonalise(matrix: Tensor, precision: torch.dtype = torch.float32) -> Tensor:
    """Approximately U Vᵀ of a matrix U S Vᵀ (M, N), with matrix products in `precision`.

    Singular values above a hundredth of the Frobenius norm come to within 0.28 of 1, which is all
    that an optimiser needs; smaller ones stay smaller.
    """
    x = matrix.to(precision)
    tall = x.shape[0] > x.shape[1]
    if tall:
        x = x.t()
    x = x / (1.01 * torch.linalg.matrix_norm(x) + 1e-30)  # so that no singular value exceeds 1
    for a, b, c in POLYNOMIALS:
        gram = x @ x.t()
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.t() if tall else x).float()


class Muon(torch.optim.Optimizer):
    """Muon for `matrices`, AdamW for `others` (parameter groups), under one learning rate."""

    def __init__(
        self,
        matrices: Sequence[nn.Parameter],
        others: list[dict[str, Any]],
        *,
        lr: float,
        beta2: float,
        weight_decay: float,
        precision: torch.dtype,
        scale: float = 1.0,
        interval: int = 1,
        by_row: Sequence[nn.Parameter] = (),
    ) -> None:
        """precision: that of the orthogonalisation's products; the rest is fp32.

        scale: of the matrices' updates, besides the learning rate. interval: steps from one
        orthogonalisation to the next; those in between repeat the update. by_row: matrices whose
        gradients are sparse; Adam changes only the rows that have one, moments included.
        """
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay})
        self.precision, self.scale, self.interval = precision, scale, interval
        self.adamw = torch.optim.AdamW(others, lr=lr, betas=(0.9, beta2), fused=True)
        self.adamw.state = self.state  # the two share one state and one list of groups
        self.param_groups += self.adamw.param_groups
        self.adam = None
        if by_row:
            self.adam = torch.optim.SparseAdam(by_row, lr=lr, betas=(0.9, beta2))
            self.adam.state = self.state
            self.param_groups += self.adam.param_groups

    def orthogonalises(self, parameter: nn.Parameter) -> bool:
        """Whether it is one of the matrices."""
        return any(parameter is p for p in self.param_groups[0]["params"])

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update every parameter that has a gradient."""
        self.adamw.step()
        if self.adam is not None:
            for p in self.adam.param_groups[0]["params"]:
                if p.grad is not None and not self.state[p]:  # "step" a tensor, for checkpoints
                    zeros = {name: torch.zeros_like(p) for name in ("exp_avg", "exp_avg_sq")}
                    self.state[p] = {"step": torch.zeros(()), **zeros}
            self.adam.step()  # type: ignore[no-untyped-call]
        group = self.param_groups[0]
        for p in group["params"]:
            if p.grad is None:
                continue
            state = self.state[p]
            if not state:
                state["momentum"] = torch.zeros_like(p)
            momentum = state["momentum"].lerp_(p.grad, 1 - MOMENTUM)
            ahead = p.grad.lerp(momentum, MOMENTUM)  # Nesterov momentum
            update = self._update(state, ahead)
            p.mul_(1 - group["lr"] * group["weight_decay"])
            size = UPDATE_RMS * self.scale * math.sqrt(max(p.shape))
            p.add_(update, alpha=-group["lr"] * size)

    def _update(self, state: dict[str, Tensor], ahead: Tensor) -> Tensor:
        """U Vᵀ of this step's momentum, or of that of a step or more ago."""
        if self.interval == 1:
            return orthogonalise(ahead, self.precision)
        step = state.setdefault("step", torch.zeros(()))
        if int(step) % self.interval == 0:
            state["update"] = orthogonalise(ahead, self.precision)
        step += 1
        return state["update"]
