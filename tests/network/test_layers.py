"""Recurrent layers: against finite differences, the equations, and torch's own."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from charlm.network.layers import gru, rnn, tanh_
from charlm.network.peephole_layer import peephole_lstm
from charlm.network.products import once, times

T, B, E, H = 5, 3, 6, 4


def some(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed + sum(shape))
    return (torch.randn(*shape, generator=generator, dtype=torch.float64) * 0.7).requires_grad_()


def inputs() -> tuple[Tensor, ...]:
    return (
        some(T, B, E),
        some(B, H),
        some(B, H, seed=9),
        some(4 * H, E),
        some(4 * H, H),
        some(4 * H),
        some(4 * H, seed=9),
        some(3, H),
    )


def by_the_book(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    W_x: Tensor,
    W_h: Tensor,
    b_x: Tensor,
    b_h: Tensor,
    peephole: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Gers and Schmidhuber (2000), one gate at a time, under autograd."""
    hidden = []
    for x_t in x:
        a = W_x @ x_t.t() + W_h @ h.t() + (b_x + b_h)[:, None]
        i, f, g, o = (part.t() for part in a.chunk(4))
        i, f = torch.sigmoid(i + peephole[0] * c), torch.sigmoid(f + peephole[1] * c)
        c = f * c + i * torch.tanh(g)
        h = torch.sigmoid(o + peephole[2] * c) * torch.tanh(c)
        hidden.append(h)
    return torch.stack(hidden), h, c


def test_gradient_agrees_with_finite_differences() -> None:
    assert torch.autograd.gradcheck(peephole_lstm, inputs(), eps=1e-6, atol=1e-7)


def test_values_and_gradients_agree_with_the_equations() -> None:
    results = []
    for run in (peephole_lstm, by_the_book):
        given = inputs()
        hs, h, c = run(*given)
        (hs.sin().sum() + (h * c * c).sum()).backward()  # type: ignore[no-untyped-call]
        results.append([hs, h, c, *(p.grad for p in given)])
    for ours, reference in zip(*results, strict=True):
        assert ours is not None
        assert reference is not None
        torch.testing.assert_close(ours, reference, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("gate", range(3))
def test_each_peephole_matters(gate: int) -> None:
    given = tuple(p.detach() for p in inputs())
    before, _, _ = peephole_lstm(*given)
    given[-1][gate] += 0.5
    after, _, _ = peephole_lstm(*given)
    assert (before - after).abs().max() > 1e-3


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_tanh_of_layers_is_one(dtype: torch.dtype) -> None:
    x = torch.cat([torch.linspace(-100, 100, 1001), torch.logspace(-9, 0, 50)]).to(dtype)
    torch.testing.assert_close(tanh_(x.clone()), x.tanh(), rtol=0, atol=3e-7)


LAYERS: dict[str, tuple[int, Any, Any]] = {
    "gru": (3, gru, torch.gru),
    "rnn": (1, partial(rnn, relu=False), torch.rnn_tanh),
    "rnn-relu": (1, partial(rnn, relu=True), torch.rnn_relu),
}
layer = pytest.mark.parametrize(("gates", "ours", "theirs"), LAYERS.values(), ids=LAYERS.keys())


def layer_inputs(gates: int, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    """x, h0, W_ih, W_hh, b_ih, b_hh."""
    G = gates * H
    shapes = ((T, B, E), (B, H), (G, E), (G, H), (G,), (G,))
    made = [some(*shape, seed=k).detach() for k, shape in enumerate(shapes)]
    return [part.to(dtype).requires_grad_() for part in made]


@layer
def test_layers_agree_with_finite_differences(gates: int, ours: Any, theirs: Any) -> None:
    assert torch.autograd.gradcheck(ours, layer_inputs(gates), eps=1e-6, atol=1e-7)


@layer
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_layers_agree_with_torch(gates: int, ours: Any, theirs: Any, dtype: torch.dtype) -> None:
    results = []
    for run in (ours, theirs):
        x, h0, *weights = given = layer_inputs(gates, dtype)
        if run is theirs:
            out, last = run(x, h0[None], weights, True, 1, 0.0, True, False, False)
        else:
            out, last = run(x, h0, *weights)
        (out.sin().sum() + (last * last).sum()).backward()
        results.append([out, last.view(B, H), *(p.grad for p in given)])
    tolerance = 1e-10 if dtype == torch.float64 else 1e-5
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", ["gru", "rnn"])  # a rectifier's gradient jumps
def test_layers_in_bf16_are_near_those_in_fp32(name: str) -> None:
    gates, ours, _ = LAYERS[name]
    results = []
    for dtype in (torch.float32, torch.bfloat16):
        x, h0, *weights = given = layer_inputs(gates, torch.float32)
        low = [part.to(dtype) for part in (x, *weights[:2])]
        out, _ = ours(low[0], h0, *low[1:], *weights[2:])
        assert out.dtype == dtype
        out.float().sin().sum().backward()
        results.append([out.float(), *(p.grad for p in given)])
    assert_near(*results)


def assert_near(expected: list[Any], found: list[Any]) -> None:
    for one, other in zip(expected, found, strict=True):
        assert one is not None
        assert other is not None
        assert (one - other).norm() < 0.03 * one.norm()


def test_the_peephole_layer_in_bf16_is_near_that_in_fp32() -> None:
    results = []
    for dtype in (torch.float32, torch.bfloat16):
        given = [part.detach().float().requires_grad_() for part in inputs()]
        x, h0, c0, weight_ih, weight_hh, *others = given
        x, weight_ih, weight_hh = (part.to(dtype) for part in (x, weight_ih, weight_hh))
        out, h, c = peephole_lstm(x, h0, c0, weight_ih, weight_hh, *others)
        assert (out.dtype, h.dtype, c.dtype) == (dtype, torch.float32, torch.float32)
        loss: Any = out.float().sin().sum() + (h * c).sum()
        loss.backward()
        results.append([out.float(), h, c, *(p.grad for p in given)])
    assert_near(*results)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rows", [1, 3, 32])
def test_packed_products_are_products(dtype: torch.dtype, rows: int) -> None:
    x, matrix = torch.randn(rows, 5).to(dtype), torch.randn(7, 5).to(dtype)
    bias, plus = torch.randn(7).to(dtype), torch.randn(rows, 7).to(dtype)
    expected = x.double() @ matrix.double().t()
    for found in (times(matrix, rows)(x), once(x, matrix)):
        torch.testing.assert_close(found, expected.to(dtype))
    expected += bias.double()
    for found in (times(matrix, rows, bias)(x), once(x, matrix, bias)):
        torch.testing.assert_close(found, expected.to(dtype))
    found = times(matrix, rows, bias)(x, plus)
    torch.testing.assert_close(found.double(), expected + plus.double(), rtol=0.02, atol=0.04)
