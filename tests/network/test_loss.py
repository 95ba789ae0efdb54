"""The sliced softmax against torch's own cross-entropy, values and gradients."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from charlm.network import loss


@pytest.mark.parametrize("at_once", [1, 50, 1 << 22])
def test_equals_torch_however_it_is_sliced(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss, "MAX_LOGITS", at_once)
    torch.manual_seed(0)
    N, D, V = 23, 6, 11
    x, weight, bias = torch.randn(N, D), torch.randn(V, D), torch.randn(V)
    y = torch.randint(V, (N,))
    results = []
    for ours in (True, False):
        given = [t.clone().requires_grad_() for t in (x, weight, bias)]
        if ours:
            value = loss.cross_entropy(given[0], given[1], given[2], y)
        else:
            value = functional.cross_entropy(functional.linear(*given), y)
        (3 * value).backward()  # type: ignore[no-untyped-call]
        results.append([value, *(p.grad for p in given)])
    for mine, reference in zip(*results, strict=True):
        torch.testing.assert_close(mine, reference, rtol=1e-5, atol=1e-6)
    nats = loss.token_nats(x, weight, bias, y)
    assert nats.shape == (N,)
    torch.testing.assert_close(-nats.mean(), results[1][0], rtol=1e-5, atol=1e-6)
