"""Recurrent layers for a CPU, their gradients written by hand.

torch sends `nn.LSTM` through oneDNN's recurrent primitive on a CPU; GRU, simple RNN and peephole
LSTM (peephole_layer.py) it takes step by step. Here they take one large product for the inputs of
all time steps, one small product a step whose matrix is laid out for oneDNN once, and, on the way
back, one large product for the weight gradients of all steps together (truncated BPTT: Williams and
Peng 1990). Entry-wise work is done step by step, on what is still in the cache.

Notation: a_t = W_ih x_t + b_ih; u_t = W_hh h_{t-1} + b_hh; σ is the logistic function, ∘ the
entry-wise product; G = gates · H. Gate order in the G entries is that of `torch.nn`. Matrices come
in the precision their products should have (fp32 or bf16). The forward pass computes states and
gates in fp32; what it keeps for the backward pass, and all that is computed there step by step, is
in the precision of the products, which takes half the memory in bf16.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from .products import once, times

# (dy, y, grad_input=out) ↦ dy · f′, from y = f(x): with y (1 − y), 1 − y², or y > 0
sigmoid_backward: Any = torch.ops.aten.sigmoid_backward.grad_input
tanh_backward: Any = torch.ops.aten.tanh_backward.grad_input
threshold_backward: Any = torch.ops.aten.threshold_backward.grad_input


def tanh_(x: Tensor) -> Tensor:
    """tanh x = 2 σ(2x) − 1, in place, with an absolute error of at most 3e-7 in fp32.

    32 × 512 entries in fp32 on a Zen 4: 17 µs, where torch's takes 25, or 34 in columns of a larger
    matrix.
    """
    return x.mul_(2).sigmoid_().mul_(2).sub_(1)


def input_gradients(
    da_NG: Tensor, x_TBE: Tensor, weight_ih: Tensor, needed: bool
) -> tuple[Tensor | None, Tensor]:
    """Of x (T, B, E), where `needed`, and of W_ih (G, E), from a's: one large product each."""
    dx_TBE = once(da_NG, weight_ih.t()).view(x_TBE.shape) if needed else None
    return dx_TBE, once(da_NG.t(), x_TBE.flatten(0, 1).t())


class _Gru(torch.autograd.Function):
    """Gated recurrent unit (Cho et al. 2014), the reset gate inside as in cuDNN.

    r, z = σ(a_rz + u_rz);  n = tanh(a_n + r ∘ u_n);  h_t = n + z ∘ (h_{t-1} − n)
    """

    @staticmethod
    def forward(
        ctx: Any,
        x_TBE: Tensor,
        h0_BH: Tensor,
        weight_ih: Tensor,
        weight_hh: Tensor,
        bias_ih: Tensor,
        bias_hh: Tensor,
    ) -> tuple[Tensor, Tensor]:
        (T, B, _), H, low = x_TBE.shape, h0_BH.shape[1], x_TBE.dtype
        recur = times(weight_hh, B)
        bias = bias_ih.clone()
        bias[: 2 * H] += bias_hh[: 2 * H]
        plus_TBG = once(x_TBE.flatten(0, 1), weight_ih, bias.to(low)).view(T, B, 3 * H)
        n_TBH = plus_TBG[..., 2 * H :].clone()  # a_n, becomes n
        plus_TBG[..., 2 * H :] = bias_hh[2 * H :]
        out_TBH = x_TBE.new_empty(T + 1, B, H)  # from h_0 on
        gates = h0_BH.new_empty(B, 3 * H)  # r, z, u_n
        (r, z, u_n), n = torch.split(gates, H, 1), torch.empty_like(h0_BH)
        h, out = h0_BH.clone(), out_TBH[0].copy_(h0_BH)
        for plus, saved_n, out_next in zip(plus_TBG, n_TBH, out_TBH[1:], strict=True):
            gates.copy_(recur(out, plus))
            gates[:, : 2 * H].sigmoid_()
            tanh_(n.copy_(saved_n).addcmul_(r, u_n))
            torch.lerp(n, h, z, out=h)
            out = out_next.copy_(h)
            plus.copy_(gates)
            saved_n.copy_(n)
        ctx.save_for_backward(x_TBE, weight_ih, weight_hh, plus_TBG, n_TBH, out_TBH)
        return out_TBH[1:], h

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dout_TBH: Tensor, dlast_BH: Tensor) -> tuple[Tensor | None, ...]:
        x_TBE, weight_ih, weight_hh, gates_TBG, n_TBH, out_TBH = ctx.saved_tensors
        T, B, H = n_TBH.shape
        back = times(weight_hh.t(), B)
        du_TBG = torch.empty_like(gates_TBG)  # of u, until the last lines: of a
        dn_TBH = torch.empty_like(n_TBH)
        dh = dlast_BH.to(out_TBH.dtype) + dout_TBH[-1]
        part = torch.empty_like(dh)
        for t in range(T - 1, -1, -1):
            du, dn, n, before = du_TBG[t], dn_TBH[t], n_TBH[t], out_TBH[t]
            (r, z, u_n), (dr, dz, du_n) = torch.split(gates_TBG[t], H, 1), torch.split(du, H, 1)
            sigmoid_backward(torch.sub(before, n, out=part).mul_(dh), z, grad_input=dz)
            tanh_backward(torch.addcmul(dh, dh, z, value=-1, out=part), n, grad_input=dn)
            torch.mul(dn, r, out=du_n)
            sigmoid_backward(torch.mul(dn, u_n, out=part), r, grad_input=dr)
            kept = torch.addcmul(dout_TBH[t - 1], dh, z) if t else dh * z
            dh = back(du, kept)
        du_NG = du_TBG.flatten(0, 1)
        dweight_hh = once(du_NG.t(), out_TBH[:-1].flatten(0, 1).t())
        dbias_hh = du_NG.sum(0, dtype=dlast_BH.dtype)
        du_TBG[..., 2 * H :] = dn_TBH
        dx, dweight_ih = input_gradients(du_NG, x_TBE, weight_ih, ctx.needs_input_grad[0])
        dbias_ih = dbias_hh.clone()
        dbias_ih[2 * H :] = dn_TBH.sum((0, 1), dtype=dlast_BH.dtype)
        return dx, dh.to(dlast_BH.dtype), dweight_ih, dweight_hh, dbias_ih, dbias_hh


class _Rnn(torch.autograd.Function):
    """Simple recurrent network (Elman 1990): h_t = tanh(a_t + u_t), or max(0, a_t + u_t).

    So little is done beside the products that all of it stays in their precision.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x_TBE: Tensor,
        h0_BH: Tensor,
        weight_ih: Tensor,
        weight_hh: Tensor,
        bias_ih: Tensor,
        bias_hh: Tensor,
        relu: bool,
    ) -> tuple[Tensor, Tensor]:
        (T, B, _), H, low = x_TBE.shape, h0_BH.shape[1], x_TBE.dtype
        recur = times(weight_hh, B)
        bias = (bias_ih + bias_hh).to(low)
        a_TBH = once(x_TBE.flatten(0, 1), weight_ih, bias).view(T, B, H)
        h_TBH = x_TBE.new_empty(T + 1, B, H)  # from h_0 on
        h = h_TBH[0].copy_(h0_BH)
        for a, h_next in zip(a_TBH, h_TBH[1:], strict=True):
            u = recur(h, a)
            h = torch.clamp_min(u, 0, out=h_next) if relu else torch.tanh(u, out=h_next)
        ctx.relu = relu
        ctx.save_for_backward(x_TBE, weight_ih, weight_hh, h_TBH)
        return h_TBH[1:], h.to(h0_BH.dtype, copy=True)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dout_TBH: Tensor, dlast_BH: Tensor) -> tuple[Tensor | None, ...]:
        x_TBE, weight_ih, weight_hh, h_TBH = ctx.saved_tensors
        T, B, _ = dout_TBH.shape
        back = times(weight_hh.t(), B)
        da_TBH = torch.empty_like(dout_TBH)
        dh = dlast_BH.to(h_TBH.dtype) + dout_TBH[-1]
        for t in range(T - 1, -1, -1):
            if ctx.relu:
                da = threshold_backward(dh, h_TBH[t + 1], 0, grad_input=da_TBH[t])
            else:
                da = tanh_backward(dh, h_TBH[t + 1], grad_input=da_TBH[t])
            dh = back(da, dout_TBH[t - 1]) if t else back(da)
        da_NH = da_TBH.flatten(0, 1)
        dweight_hh = once(da_NH.t(), h_TBH[:-1].flatten(0, 1).t())
        dx, dweight_ih = input_gradients(da_NH, x_TBE, weight_ih, ctx.needs_input_grad[0])
        dbias = da_NH.sum(0, dtype=dlast_BH.dtype)
        return dx, dh.to(dlast_BH.dtype), dweight_ih, dweight_hh, dbias, dbias, None


def gru(
    x_TBE: Tensor,
    h0_BH: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
) -> tuple[Tensor, Tensor]:
    """GRU layer: all hidden states (T, B, H) in x's precision, and the last (B, H) in fp32."""
    apply: Any = _Gru.apply
    h_TBH, last_BH = apply(x_TBE, h0_BH, weight_ih, weight_hh, bias_ih, bias_hh)
    return h_TBH, last_BH


def rnn(
    x_TBE: Tensor,
    h0_BH: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
    *,
    relu: bool,
) -> tuple[Tensor, Tensor]:
    """Simple recurrent layer, tanh or relu: as `gru`."""
    apply: Any = _Rnn.apply
    h_TBH, last_BH = apply(x_TBE, h0_BH, weight_ih, weight_hh, bias_ih, bias_hh, relu)
    return h_TBH, last_BH
