"""The LSTM layer with peepholes, its gradient written by hand, on every device.

Method and notation are those of layers.py.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from .layers import input_gradients, sigmoid_backward, tanh_, tanh_backward
from .products import once, times


class _PeepholeLstm(torch.autograd.Function):
    """Long short-term memory whose gates see the cell (Gers and Schmidhuber 2000).

    i, f = σ(a_if + u_if + p_if ∘ c_{t-1});  g = tanh(a_g + u_g);  c_t = f ∘ c_{t-1} + i ∘ g
    o = σ(a_o + u_o + p_o ∘ c_t);  h_t = o ∘ tanh(c_t)
    """

    @staticmethod
    def forward(
        ctx: Any,
        x_TBE: Tensor,
        h0_BH: Tensor,
        c0_BH: Tensor,
        weight_ih: Tensor,
        weight_hh: Tensor,
        bias_ih: Tensor,
        bias_hh: Tensor,
        peephole_3H: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        (T, B, _), H, low = x_TBE.shape, h0_BH.shape[1], x_TBE.dtype
        recur = times(weight_hh, B)
        bias = (bias_ih + bias_hh).to(low)
        a_TBG = once(x_TBE.flatten(0, 1), weight_ih, bias).view(T, B, 4 * H)
        c_TBH, out_TBH = (x_TBE.new_empty(T + 1, B, H) for _ in "ch")  # from step 0 on
        tanh_c_TBH = x_TBE.new_empty(T, B, H)
        gates = h0_BH.new_empty(B, 4 * H)
        i, f, g, o = torch.split(gates, H, 1)
        c, h, tanh_c = c0_BH.clone(), torch.empty_like(h0_BH), torch.empty_like(h0_BH)
        c_TBH[0], out = c0_BH, out_TBH[0].copy_(h0_BH)
        steps = zip(a_TBG, c_TBH[1:], tanh_c_TBH, out_TBH[1:], strict=True)
        for saved, saved_c, saved_tanh_c, out_next in steps:
            gates.copy_(recur(out, saved))
            gates[:, : 2 * H].view(B, 2, H).addcmul_(peephole_3H[:2], c[:, None])
            gates[:, : 2 * H].sigmoid_()
            tanh_(g)
            c.mul_(f).addcmul_(i, g)
            o.addcmul_(peephole_3H[2], c).sigmoid_()
            torch.mul(o, tanh_(tanh_c.copy_(c)), out=h)
            out = out_next.copy_(h)
            saved.copy_(gates)
            saved_c.copy_(c)
            saved_tanh_c.copy_(tanh_c)
        ctx.save_for_backward(
            x_TBE, weight_ih, weight_hh, peephole_3H, a_TBG, c_TBH, tanh_c_TBH, out_TBH
        )
        return out_TBH[1:], h, c

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, dout_TBH: Tensor, dlast_BH: Tensor, dc_BH: Tensor
    ) -> tuple[Tensor | None, ...]:
        x_TBE, weight_ih, weight_hh, peephole_3H, gates_TBG, c_TBH, tanh_c_TBH, out_TBH = (
            ctx.saved_tensors
        )
        (T, B, H), low, kept_in = tanh_c_TBH.shape, x_TBE.dtype, dlast_BH.dtype
        back = times(weight_hh.t(), B)
        p_i, p_f, p_o = peephole_3H.to(low)
        da_TBG = torch.empty_like(gates_TBG)
        dh, dc = dlast_BH.to(low) + dout_TBH[-1], dc_BH.to(low, copy=True)
        part = torch.empty_like(dc)
        for t in range(T - 1, -1, -1):
            da, before, tanh_c = da_TBG[t], c_TBH[t], tanh_c_TBH[t]
            (i, f, g, o), (di, df, dg, do) = torch.split(gates_TBG[t], H, 1), torch.split(da, H, 1)
            sigmoid_backward(torch.mul(dh, tanh_c, out=part), o, grad_input=do)
            dc += tanh_backward(torch.mul(dh, o, out=dh), tanh_c, grad_input=part)
            dc.addcmul_(do, p_o)
            sigmoid_backward(torch.mul(dc, g, out=part), i, grad_input=di)
            sigmoid_backward(torch.mul(dc, before, out=part), f, grad_input=df)
            tanh_backward(torch.mul(dc, i, out=part), g, grad_input=dg)
            dc.mul_(f).addcmul_(di, p_i).addcmul_(df, p_f)
            dh = back(da, dout_TBH[t - 1]) if t else back(da)
        di, df, _, do = torch.split(da_TBG, H, 2)
        seen = zip((di, df, do), (c_TBH[:-1], c_TBH[:-1], c_TBH[1:]), strict=True)
        dpeephole = torch.stack([(da * c).sum((0, 1), dtype=kept_in) for da, c in seen])
        da_NG = da_TBG.flatten(0, 1)
        dweight_hh = once(da_NG.t(), out_TBH[:-1].flatten(0, 1).t())
        dx, dweight_ih = input_gradients(da_NG, x_TBE, weight_ih, ctx.needs_input_grad[0])
        dbias = da_NG.sum(0, dtype=kept_in)
        return dx, dh.to(kept_in), dc.to(kept_in), dweight_ih, dweight_hh, dbias, dbias, dpeephole


def peephole_lstm(
    x_TBE: Tensor,
    h0_BH: Tensor,
    c0_BH: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
    peephole_3H: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Peephole LSTM layer: all hidden states (T, B, H) in x's precision, the last h and c (B, H).

    Rows of `peephole_3H`: i, f, o.
    """
    apply: Any = _PeepholeLstm.apply
    h_TBH, last_BH, c_BH = apply(
        x_TBE, h0_BH, c0_BH, weight_ih, weight_hh, bias_ih, bias_hh, peephole_3H
    )
    return h_TBH, last_BH, c_BH
