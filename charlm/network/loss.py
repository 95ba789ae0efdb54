"""Cross-entropy over a softmax that is never materialised in full.

For N tokens and a vocabulary of V the logits would be (N, V): 700 MB for 8,192 tokens and 20,878
words. Here they exist for a slice of rows at a time, and since the loss is a plain mean its
gradients are known in the forward pass, so nothing is computed twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from .softmax_sample import Sample

MAX_LOGITS = 1 << 22  # entries of a slice of logits: 16 MB in fp32


def _slices(rows: int, vocab_size: int) -> Iterator[slice]:
    size = max(1, MAX_LOGITS // vocab_size)
    return (slice(at, min(at + size, rows)) for at in range(0, rows, size))


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x_ND: Tensor,
        weight: Tensor,
        bias: Tensor,
        y_N: Tensor,
        sample: Sample | None,
        rows_only: bool,
    ) -> Tensor:
        N, ctx.shape, ctx.ids = len(x_ND), weight.shape, None if sample is None else sample.ids_C
        ctx.rows_only = rows_only
        if sample is not None:
            weight, bias = weight[sample.ids_C], bias[sample.ids_C]
            y_N = torch.searchsorted(sample.ids_C, y_N)
        matrix = weight.to(x_ND.dtype)
        dx_ND = torch.empty_like(x_ND)
        dweight, dbias = torch.zeros_like(weight), torch.zeros_like(bias)
        total = x_ND.new_zeros((), dtype=torch.float32)
        for rows in _slices(N, len(weight)):
            x, y = x_ND[rows], y_N[rows, None]
            logits = (x @ matrix.t()).float().add_(bias)
            if sample is not None:
                own = logits.gather(1, y)
                logits.add_(sample.correction_C).scatter_(1, y, own)
            nats = logits.log_softmax(1)  # log P
            total -= nats.gather(1, y).sum()
            grad = nats.exp_()
            grad.scatter_add_(1, y, grad.new_full((1, 1), -1.0).expand_as(y))  # P − onehot(y)
            grad /= N
            dbias += grad.sum(0)
            grad_low = grad.to(x_ND.dtype)
            torch.mm(grad_low, matrix, out=dx_ND[rows])
            dweight += (grad_low.t() @ x).to(dweight.dtype)
        ctx.save_for_backward(dx_ND, dweight, dbias)
        return total / N

    @staticmethod
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor | None, ...]:
        dx, dweight, dbias = ctx.saved_tensors
        dweight, dbias = dweight * scale, dbias * scale
        if ctx.ids is not None:
            if ctx.rows_only:
                dweight = torch.sparse_coo_tensor(
                    ctx.ids[None], dweight, ctx.shape, check_invariants=False
                )
            else:
                dweight = dweight.new_zeros(ctx.shape).index_copy_(0, ctx.ids, dweight)
            dbias = dbias.new_zeros(ctx.shape[0]).index_copy_(0, ctx.ids, dbias)
        return dx * scale.to(dx.dtype), dweight, dbias, None, None, None


def cross_entropy(
    x_ND: Tensor,
    weight_VD: Tensor,
    bias_V: Tensor,
    y_N: Tensor,
    sample: Sample | None = None,
    *,
    rows_only: bool = False,
) -> Tensor:
    """Mean −log softmax(W x + b)[y] in nats, a scalar; products in the precision of x.

    sample: of words, by which the sum over all of them is estimated; see `softmax_sample`.
    rows_only: the gradient of W is then a sparse tensor of their rows.
    """
    apply: Any = _CrossEntropy.apply
    loss: Tensor = apply(x_ND, weight_VD, bias_V, y_N, sample, rows_only)
    return loss


def token_nats(x_ND: Tensor, weight_VD: Tensor, bias_V: Tensor, y_N: Tensor) -> Tensor:
    """log softmax(W x + b)[y] of every row, (N,) nats, without gradients."""
    matrix = weight_VD.to(x_ND.dtype)
    parts = []
    for rows in _slices(len(x_ND), len(weight_VD)):
        logits = (x_ND[rows] @ matrix.t()).float().add_(bias_V)
        parts.append(logits.gather(1, y_N[rows, None]).squeeze(1) - logits.logsumexp(1))
    return torch.cat(parts)
