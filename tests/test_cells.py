"""The peephole LSTM: gradient against finite differences, values against the equations."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from charlm.cells import peephole_lstm

T, B, H = 5, 3, 4


def some(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed + sum(shape))
    return (torch.randn(*shape, generator=generator, dtype=torch.float64) * 0.7).requires_grad_()


def inputs() -> tuple[Tensor, ...]:
    return (
        some(T, B, 4 * H),
        some(B, H),
        some(B, H, seed=9),
        some(4 * H, H),
        some(4 * H),
        some(3, H),
    )


def by_the_book(
    a: Tensor, h: Tensor, c: Tensor, weight: Tensor, bias: Tensor, peephole: Tensor
) -> tuple[Tensor, Tensor]:
    """Gers and Schmidhuber (2000), one gate at a time, under autograd."""
    hidden, cells = [], []
    W, b = weight.view(4, H, H), bias.view(4, H)
    for t in range(T):
        i, f, g, o = (a[t, :, k * H : (k + 1) * H] + h @ W[k].t() + b[k] for k in range(4))
        i, f = torch.sigmoid(i + peephole[0] * c), torch.sigmoid(f + peephole[1] * c)
        c = f * c + i * torch.tanh(g)
        h = torch.sigmoid(o + peephole[2] * c) * torch.tanh(c)
        hidden.append(h)
        cells.append(c)
    return torch.stack(hidden), torch.stack(cells)


def test_gradient_agrees_with_finite_differences() -> None:
    assert torch.autograd.gradcheck(peephole_lstm, inputs(), eps=1e-6, atol=1e-7)


def test_values_and_gradients_agree_with_the_equations() -> None:
    results = []
    for run in (peephole_lstm, by_the_book):
        given = inputs()
        h, c = run(*given)
        (h.sin().sum() + (c * c).sum()).backward()  # type: ignore[no-untyped-call]
        results.append([h, c, *(p.grad for p in given)])
    for ours, reference in zip(*results, strict=True):
        assert ours is not None
        assert reference is not None
        torch.testing.assert_close(ours, reference, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("gate", range(3))
def test_each_peephole_matters(gate: int) -> None:
    a, h, c, weight, bias, peephole = (p.detach() for p in inputs())
    before, _ = peephole_lstm(a, h, c, weight, bias, peephole)
    peephole[gate] += 0.5
    after, _ = peephole_lstm(a, h, c, weight, bias, peephole)
    assert (before - after).abs().max() > 1e-3
