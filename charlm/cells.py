"""The recurrent layer that torch lacks: the peephole LSTM, with its gradient written by hand.

It takes one large product for the inputs of all time steps, one small product a step for the
recurrence, and, on the way back, one large product for the weight gradients of all steps together
(truncated BPTT: Williams and Peng 1990).

Notation: a_t = W_ih x_t + b_ih arrives precomputed for all t as `a_TBG` (G = gates · H);
u_t = W_hh h_{t-1} + b_hh; σ is the logistic function, ∘ the entry-wise product. Gate order in the
G entries is that of `torch.nn`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

# Every function below takes the recurrent matrix in the precision its products should have
# (fp32 or bf16); all entry-wise arithmetic is done in the precision of `a_TBG`.


def _products(matrix: Tensor, like: Tensor) -> Any:
    """A function x ↦ x @ matrix, the product in the precision of `matrix`, the result as `like`."""
    if matrix.dtype == like.dtype:
        return lambda x: x @ matrix
    return lambda x: (x.to(matrix.dtype) @ matrix).to(like.dtype)


def _weight_gradient(grad_TBG: Tensor, h0_BH: Tensor, h_TBH: Tensor, weight: Tensor) -> Tensor:
    """Σ_t grad_tᵀ h_{t-1}, the deferred gradient of W_hh, as one product."""
    before_TBH = torch.cat([h0_BH[None], h_TBH[:-1]])
    grad, before = grad_TBG.flatten(0, 1), before_TBH.flatten(0, 1)
    return grad.to(weight.dtype).t() @ before.to(weight.dtype)


class _PeepholeLstm(torch.autograd.Function):
    """Long short-term memory whose gates see the cell (Gers and Schmidhuber 2000).

    i, f = σ(a_if + u_if + p_if ∘ c_{t-1});  g = tanh(a_g + u_g);  c_t = f ∘ c_{t-1} + i ∘ g
    o = σ(a_o + u_o + p_o ∘ c_t);  h_t = o ∘ tanh(c_t)
    """

    @staticmethod
    def forward(
        ctx: Any,
        a_TBG: Tensor,
        h0_BH: Tensor,
        c0_BH: Tensor,
        weight: Tensor,
        bias: Tensor,
        peephole_3H: Tensor,
    ) -> tuple[Tensor, Tensor]:
        H = h0_BH.shape[1]
        recur = _products(weight.t(), a_TBG)
        p_i, p_f, p_o = peephole_3H
        gates_TBG = a_TBG + bias  # becomes i, f, g, o
        h_TBH = a_TBG.new_empty(*a_TBG.shape[:2], H)
        c_TBH = torch.empty_like(h_TBH)
        h, c = h0_BH, c0_BH
        for t, gates in enumerate(gates_TBG):
            gates += recur(h)
            i, f, g, o = torch.split(gates, H, dim=1)
            i.addcmul_(p_i, c).sigmoid_()
            f.addcmul_(p_f, c).sigmoid_()
            g.tanh_()
            c = torch.mul(f, c, out=c_TBH[t]).addcmul_(i, g)
            o.addcmul_(p_o, c).sigmoid_()
            h = torch.mul(o, c.tanh(), out=h_TBH[t])
        ctx.save_for_backward(h0_BH, c0_BH, weight, peephole_3H, h_TBH, c_TBH, gates_TBG)
        return h_TBH, c_TBH

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dh_TBH: Tensor, dc_TBH: Tensor) -> tuple[Tensor | None, ...]:
        h0, c0, weight, peephole_3H, h_TBH, c_TBH, gates_TBG = ctx.saved_tensors
        H = h0.shape[1]
        back = _products(weight, h_TBH)
        p_i, p_f, p_o = peephole_3H
        i, f, g, o = torch.split(gates_TBG, H, dim=2)
        before = torch.cat([c0[None], c_TBH[:-1]])
        tanh_c = c_TBH.tanh()
        h_to_o = tanh_c * o * (1 - o)
        h_to_c = o * (1 - tanh_c * tanh_c)
        c_to_i, c_to_f, c_to_g = g * i * (1 - i), before * f * (1 - f), i * (1 - g * g)
        da_TBG = torch.empty_like(gates_TBG)
        dh, dc = torch.zeros_like(h0), torch.zeros_like(c0)
        for t in range(len(h_TBH) - 1, -1, -1):
            di, df, dg, do = torch.split(da_TBG[t], H, dim=1)
            dh = dh + dh_TBH[t]
            torch.mul(dh, h_to_o[t], out=do)
            dc = (dc + dc_TBH[t]).addcmul_(dh, h_to_c[t]).addcmul_(do, p_o)
            torch.mul(dc, c_to_i[t], out=di)
            torch.mul(dc, c_to_f[t], out=df)
            torch.mul(dc, c_to_g[t], out=dg)
            dc = (dc * f[t]).addcmul_(di, p_i).addcmul_(df, p_f)
            dh = back(da_TBG[t])
        di_T, df_T, _, do_T = torch.split(da_TBG, H, dim=2)
        dpeephole = torch.stack(
            [(di_T * before).sum((0, 1)), (df_T * before).sum((0, 1)), (do_T * c_TBH).sum((0, 1))]
        )
        dweight = _weight_gradient(da_TBG, h0, h_TBH, weight)
        return da_TBG, dh, dc, dweight, da_TBG.sum((0, 1)), dpeephole


def peephole_lstm(
    a_TBG: Tensor, h0_BH: Tensor, c0_BH: Tensor, weight: Tensor, bias: Tensor, peephole_3H: Tensor
) -> tuple[Tensor, Tensor]:
    """Peephole LSTM layer; all hidden states and all cells, each (T, B, H)."""
    apply: Any = _PeepholeLstm.apply
    h_TBH, c_TBH = apply(a_TBG, h0_BH, c0_BH, weight, bias, peephole_3H)
    return h_TBH, c_TBH
