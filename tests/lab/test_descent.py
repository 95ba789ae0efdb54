"""Clipped steps with a falling rate, and the loss that they go down."""

from __future__ import annotations

import math

import pytest
import torch

from charlm.lab.descent import CLIP_NORM, cross_entropy, take_step


@pytest.mark.parametrize(("done", "part"), [(0.0, 1.0), (0.5, 1.0), (0.75, 0.5)])
def test_a_step_is_clipped_and_its_rate_falls_over_the_second_half(
    done: float, part: float
) -> None:
    weight = torch.nn.Parameter(torch.tensor([3.0, 4.0]))
    optimizer = torch.optim.SGD([weight], lr=9.0)
    loss = 50 * weight.square().sum()  # its gradient points along the weight
    take_step(optimizer, [weight], loss, 0.1, done)
    assert float(weight.detach().norm()) == pytest.approx(5 - 0.1 * part * CLIP_NORM, abs=1e-5)


def test_what_is_no_target_costs_nothing() -> None:
    logits = torch.zeros(3, 2, 4)
    targets = torch.tensor([[0, 1], [2, -1], [-1, -1]])
    assert float(cross_entropy(logits, targets)) == pytest.approx(math.log(4))
    logits[2] = 100 * torch.eye(4)[:2]
    assert float(cross_entropy(logits, targets)) == pytest.approx(math.log(4))
