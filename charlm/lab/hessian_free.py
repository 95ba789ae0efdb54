"""A curvature method: Hessian-free optimisation with the Gauss–Newton matrix (Martens 2010).

Each update minimises a quadratic model of the loss, with all weights in one vector θ,

    q(d) = g · d + ½ d · (G + λI) d,   G = mean of Jᵀ (diag(p) − p pᵀ) J

by conjugate gradients. J: the derivative of the logits by θ, p: the predicted probabilities. G is
never written down: J v is the derivative of Jᵀu · v by u, so G v takes one pass through the steps
of time in one direction, and one in the other. λ, the damping, goes up and down with how well q
foretells the loss (Levenberg and Marquardt; Martens and Sutskever 2011).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.autograd import grad
from torch.func import functional_call
from torch.nn import functional
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from .lag_network import Asked

Product: TypeAlias = Callable[[Tensor], Tensor]  # v ↦ A v

DAMPING = 0.03  # λ at first
CG_STEPS = 40  # at most, for one update
CG_TOLERANCE = 1e-3  # of |residual|, relative to that at first
MOMENTUM = 0.9  # how much of an update is where the search for the next one begins
HALVINGS = 5  # of an update that makes the loss worse


def conjugate_gradients(
    product: Product, b_P: Tensor, start_P: Tensor, steps: int
) -> tuple[Tensor, int]:
    """An approximate solution (P,) of A x = b, A positive definite, and how often A was applied."""
    x_P, r_P = start_P, b_P - product(start_P)
    p_P, rr, applied = r_P, float(r_P @ r_P), 1
    enough = CG_TOLERANCE**2 * float(b_P @ b_P)
    while applied < steps and rr > enough:
        Ap_P = product(p_P)
        applied += 1
        alpha = rr / float(p_P @ Ap_P)
        x_P, r_P = x_P + alpha * p_P, r_P - alpha * Ap_P
        rr, before = float(r_P @ r_P), rr
        p_P = r_P + rr / before * p_P
    return x_P, applied


class Surroundings:
    """The loss of a network on fixed sentences as a function of all its weights, (P,)."""

    def __init__(self, network: nn.Module, asked: Asked) -> None:
        self.network, self.asked = network, asked
        self.named = {name: value.detach() for name, value in network.named_parameters()}
        self.theta_P = parameters_to_vector(self.named.values())

    def split(self, theta_P: Tensor) -> dict[str, Tensor]:
        """The vector as the network's parameters."""
        sizes = [value.numel() for value in self.named.values()]
        parts = torch.split(theta_P, sizes)
        items = zip(self.named.items(), parts, strict=True)
        return {name: part.view_as(value) for (name, value), part in items}

    def logits(self, theta_P: Tensor) -> Tensor:
        """The logits with these weights, (B, C)."""
        found: Tensor = functional_call(self.network, self.split(theta_P), (self.asked[0],))
        return found

    @torch.no_grad()
    def loss(self, theta_P: Tensor) -> float:
        """The mean cross-entropy with these weights, nats."""
        return float(functional.cross_entropy(self.logits(theta_P), self.asked[1]))

    def gradient_and_curvature(self) -> tuple[Tensor, Product]:
        """The gradient (P,) of the loss, and v ↦ G v."""
        theta_P = self.theta_P.requires_grad_()
        logits_BC = self.logits(theta_P)
        p_BC = logits_BC.detach().softmax(1)
        u_BC = torch.zeros_like(p_BC).requires_grad_()
        (back_P,) = grad(logits_BC, theta_P, u_BC, create_graph=True)  # Jᵀ u, linear in u

        def product(v_P: Tensor) -> Tensor:
            (Jv_BC,) = grad(back_P, u_BC, v_P, retain_graph=True)
            HJv_BC = p_BC * (Jv_BC - (p_BC * Jv_BC).sum(1, keepdim=True))
            return grad(logits_BC, theta_P, HJv_BC / len(p_BC), retain_graph=True)[0]

        wrong_BC = p_BC - functional.one_hot(self.asked[1], p_BC.shape[1])
        (g_P,) = grad(logits_BC, theta_P, wrong_BC / len(p_BC), retain_graph=True)
        return g_P, product


def hessian_free(network: nn.Module, draw: Callable[[], Asked]) -> Iterator[int]:
    """Update the network again and again; yields how many passes over `draw()` an update took.

    The gradient, each product G v and each loss that is looked at count as one pass each.
    """
    damping, before_P = DAMPING, None
    while True:
        near = Surroundings(network, draw())
        g_P, curvature = near.gradient_and_curvature()
        start_P = torch.zeros_like(g_P) if before_P is None else MOMENTUM * before_P

        def damped(v_P: Tensor, by: float = damping, curvature: Product = curvature) -> Tensor:
            return curvature(v_P) + by * v_P

        d_P, passes = conjugate_gradients(damped, -g_P, start_P, CG_STEPS)
        theta_P = near.theta_P.detach()
        foretold = float(g_P @ d_P + 0.5 * d_P @ damped(d_P))
        loss = near.loss(theta_P)
        gained = near.loss(theta_P + d_P) - loss
        ratio = gained / foretold
        damping *= 1.5 if ratio < 0.25 else 2 / 3 if ratio > 0.75 else 1.0
        passes += 4  # the gradient, a last product and two losses
        for _ in range(HALVINGS):
            if gained < 0:
                break
            d_P = d_P / 2
            gained = near.loss(theta_P + d_P) - loss
            passes += 1
        if gained < 0:
            vector_to_parameters(theta_P + d_P, network.parameters())
        before_P = d_P
        yield passes
