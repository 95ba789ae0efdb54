"""Recurrent layers for a CPU, their gradients written by hand.

torch sends `nn.LSTM` through oneDNN's recurrent primitive on a CPU; GRU, simple RNN and peephole
LSTM it takes step by step. Here they take one large product for the inputs of all time steps, one
small product a step whose matrix is laid out for oneDNN once, and, on the way back, one large
product for the weight gradients of all steps together (truncated BPTT: Williams and Peng 1990).

Notation: a_t = W_ih x_t + b_ih; u_t = W_hh h_{t-1} + b_hh; σ is the logistic function, ∘ the
entry-wise product; G = gates · H. Gate order in the G entries is that of `torch.nn`. Matrices come
in the precision their products should have (fp32 or bf16); the rest is done in fp32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

Product: TypeAlias = Callable[..., Tensor]

sigmoid_backward: Any = torch.ops.aten.sigmoid_backward  # (dy, y) ↦ dy · y (1 − y)
tanh_backward: Any = torch.ops.aten.tanh_backward  # (dy, y) ↦ dy · (1 − y²)
threshold_backward: Any = torch.ops.aten.threshold_backward  # (dy, y, 0) ↦ dy where y > 0


def times(matrix_NK: Tensor, rows: int) -> Product:
    """The function (x, plus) ↦ x @ matrixᵀ + plus, made quick for being used many times.

    x is (rows, K), plus (rows, N) or left out, the result (rows, N).

    oneDNN lays the matrix out for its kernels once, instead of at every call: on two Zen 5 cores,
    products of 32 rows with 1536 × 512 run at 390 GFLOP/s instead of 150 in fp32 (where torch's
    own go to another library) and at 680 instead of 550 in bf16.
    """
    if _PACKED and matrix_NK.device.type == "cpu" and matrix_NK.dtype != torch.float64:
        packed = torch.ops.mkldnn._reorder_linear_weight(matrix_NK.contiguous(), rows)

        def product(x: Tensor, plus: Tensor | None = None) -> Tensor:
            run: Any = torch.ops.mkldnn._linear_pointwise
            if plus is None:
                return run(x, packed, None, "none", [], "")  # type: ignore[no-any-return]
            return run.binary(x, plus, packed, None, "add")  # type: ignore[no-any-return]

        return product

    def plain(x: Tensor, plus: Tensor | None = None) -> Tensor:
        y = functional.linear(x, matrix_NK)
        return y if plus is None else y + plus

    return plain


def _has_packed() -> bool:
    """Whether this torch has oneDNN's packed products, and they give what they should."""
    try:
        with torch.no_grad():
            x, w = torch.eye(4), torch.arange(16.0).reshape(4, 4)
            packed = torch.ops.mkldnn._reorder_linear_weight(w, 4)
            y = torch.ops.mkldnn._linear_pointwise.binary(x, w, packed, None, "add")
            return bool(torch.equal(y, w.t() + w))
    except (AttributeError, RuntimeError, NotImplementedError):
        return False


_PACKED = _has_packed()


def once(x_MK: Tensor, matrix_NK: Tensor) -> Tensor:
    """x @ matrixᵀ (M, N), for large products, before which laying out takes a while.

    It pays in fp32, where torch's own products do not go through oneDNN.
    """
    if matrix_NK.dtype == torch.float32:
        return times(matrix_NK, len(x_MK))(x_MK)
    return functional.linear(x_MK, matrix_NK)


def _before(h0_BH: Tensor, h_TBH: Tensor) -> Tensor:
    """The hidden state that each step began from, (T · B, H), in h's precision."""
    return torch.cat([h0_BH.to(h_TBH.dtype)[None], h_TBH[:-1]]).flatten(0, 1)


def _gradients(
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
        (T, B, _), H = x_TBE.shape, h0_BH.shape[1]
        recur = times(weight_hh, B)
        gates_TBG = once(x_TBE.flatten(0, 1), weight_ih).view(T, B, 3 * H).to(h0_BH.dtype) + bias_ih
        gates_TBG[..., : 2 * H] += bias_hh[: 2 * H]  # becomes r, z, n
        b_n = bias_hh[2 * H :]
        u_TBH, h_TBH = (gates_TBG.new_empty(T, B, H) for _ in "uh")
        out_TBH = x_TBE.new_empty(T, B, H)
        h, low = h0_BH, h0_BH.to(x_TBE.dtype)
        for t in range(T):
            rz, n = gates_TBG[t, :, : 2 * H], gates_TBG[t, :, 2 * H :]
            u = recur(low)
            rz.add_(u[:, : 2 * H]).sigmoid_()
            u_n = torch.add(u[:, 2 * H :], b_n, out=u_TBH[t])
            n.addcmul_(rz[:, :H], u_n).tanh_()
            h = torch.lerp(n, h, rz[:, H:], out=h_TBH[t])
            low = out_TBH[t].copy_(h)
        ctx.save_for_backward(x_TBE, h0_BH, weight_ih, weight_hh, gates_TBG, u_TBH, h_TBH, out_TBH)
        return out_TBH, h.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dout_TBH: Tensor, dlast_BH: Tensor) -> tuple[Tensor | None, ...]:
        x_TBE, h0, weight_ih, weight_hh, gates_TBG, u_TBH, h_TBH, out_TBH = ctx.saved_tensors
        T, B, H = h_TBH.shape
        back = times(weight_hh.t(), B)
        r, z, n = torch.split(gates_TBG, H, dim=2)
        before = torch.cat([h0[None], h_TBH[:-1]])
        h_to_z = sigmoid_backward(before - n, z)
        h_to_n = tanh_backward(1 - z, n)
        n_to_r = sigmoid_backward(u_TBH, r)
        du_TBG = out_TBH.new_empty(T, B, 3 * H)  # of u, until the last lines: then of a
        dn_TBH = torch.empty_like(h_TBH)
        dh = dlast_BH.clone()
        for t in range(T - 1, -1, -1):
            du = du_TBG[t]
            dh += dout_TBH[t]
            dn = torch.mul(dh, h_to_n[t], out=dn_TBH[t])
            torch.mul(dn, n_to_r[t], out=du[:, :H])
            torch.mul(dh, h_to_z[t], out=du[:, H : 2 * H])
            torch.mul(dn, r[t], out=du[:, 2 * H :])
            dh = dh.mul_(z[t]).add_(back(du))
        du_NG = du_TBG.flatten(0, 1)
        dweight_hh = once(du_NG.t(), _before(h0, out_TBH).t())
        dbias_hh = du_NG.sum(0, dtype=h0.dtype)
        du_TBG[..., 2 * H :] = dn_TBH
        dx, dweight_ih = _gradients(du_NG, x_TBE, weight_ih, ctx.needs_input_grad[0])
        dbias_ih = du_NG.sum(0, dtype=h0.dtype)
        return dx, dh, dweight_ih, dweight_hh, dbias_ih, dbias_hh


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
        (T, B, _), H = x_TBE.shape, h0_BH.shape[1]
        recur = times(weight_hh, B)
        a_TBH = once(x_TBE.flatten(0, 1), weight_ih).view(T, B, H)
        a_TBH += (bias_ih + bias_hh).to(a_TBH.dtype)
        h_TBH, h = torch.empty_like(a_TBH), h0_BH.to(x_TBE.dtype)
        for t in range(T):
            u = recur(h, a_TBH[t])
            h = torch.clamp_min(u, 0, out=h_TBH[t]) if relu else torch.tanh(u, out=h_TBH[t])
        ctx.relu = relu
        ctx.save_for_backward(x_TBE, h0_BH, weight_ih, weight_hh, h_TBH)
        return h_TBH, h.to(h0_BH.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dout_TBH: Tensor, dlast_BH: Tensor) -> tuple[Tensor | None, ...]:
        x_TBE, h0, weight_ih, weight_hh, h_TBH = ctx.saved_tensors
        T, B, _ = h_TBH.shape
        back = times(weight_hh.t(), B)
        da_TBH = torch.empty_like(h_TBH)
        dh = dlast_BH.to(h_TBH.dtype) + dout_TBH[-1]
        for t in range(T - 1, -1, -1):
            if ctx.relu:
                da = threshold_backward.grad_input(dh, h_TBH[t], 0, grad_input=da_TBH[t])
            else:
                da = tanh_backward.grad_input(dh, h_TBH[t], grad_input=da_TBH[t])
            dh = back(da, dout_TBH[t - 1]) if t else back(da)
        da_NH = da_TBH.flatten(0, 1)
        dweight_hh = once(da_NH.t(), _before(h0, h_TBH).t())
        dx, dweight_ih = _gradients(da_NH, x_TBE, weight_ih, ctx.needs_input_grad[0])
        dbias = da_NH.sum(0, dtype=h0.dtype)
        return dx, dh.to(h0.dtype), dweight_ih, dweight_hh, dbias, dbias, None


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
        recur = times(weight, len(h0_BH))
        p_i, p_f, p_o = peephole_3H
        gates_TBG = a_TBG + bias  # becomes i, f, g, o
        h_TBH = a_TBG.new_empty(*a_TBG.shape[:2], H)
        c_TBH = torch.empty_like(h_TBH)
        h, c = h0_BH, c0_BH
        for t, gates in enumerate(gates_TBG):
            gates += recur(h.to(weight.dtype))
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
        back = times(weight.t(), len(h0))
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
            dh = back(da_TBG[t].to(weight.dtype)).to(h0.dtype)
        di_T, df_T, _, do_T = torch.split(da_TBG, H, dim=2)
        dpeephole = torch.stack(
            [(di_T * before).sum((0, 1)), (df_T * before).sum((0, 1)), (do_T * c_TBH).sum((0, 1))]
        )
        da_NG = da_TBG.flatten(0, 1).to(weight.dtype)
        dweight = once(da_NG.t(), _before(h0, h_TBH).to(weight.dtype).t())
        return da_TBG, dh, dc, dweight, da_TBG.sum((0, 1)), dpeephole


def peephole_lstm(
    a_TBG: Tensor, h0_BH: Tensor, c0_BH: Tensor, weight: Tensor, bias: Tensor, peephole_3H: Tensor
) -> tuple[Tensor, Tensor]:
    """Peephole LSTM layer; all hidden states and all cells, each (T, B, H)."""
    apply: Any = _PeepholeLstm.apply
    h_TBH, c_TBH = apply(a_TBG, h0_BH, c0_BH, weight, bias, peephole_3H)
    return h_TBH, c_TBH
