"""Gradients of a few rows of a large matrix: those of the words that a step has used.

With a sample of 3,000 of 200,000 words a step concerns some 4,500 rows. A gradient of all rows, its
norm and the optimiser's moments of all would be three fifths of the time of the step.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn


def rows(gradient: Tensor) -> Tensor:
    """A gradient (V, D), dense or sparse, as coalesced sparse rows, without those that are 0."""
    if gradient.is_sparse:
        whole = gradient.coalesce()
        ids, values = whole.indices()[0], whole.values()
        used = values.any(1)
        ids, values = ids[used], values[used]
    else:
        ids = gradient.any(1).nonzero().squeeze(1)
        values = gradient[ids]
    return torch.sparse_coo_tensor(
        ids[None], values, gradient.shape, is_coalesced=True, check_invariants=False
    )


def parts(parameters: Iterable[nn.Parameter]) -> list[Tensor]:
    """The numbers of all gradients: tensors to be changed in place, of sparse ones their rows."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    return [g.values() if g.is_sparse else g for g in gradients]
