"""The neural cache against its formula."""

from __future__ import annotations

from typing import Any

import numpy as np
from toys import recurrent_lm

from charlm.tasks.neural_cache import NeuralCacheLM


def slow_cache(ids: list[int], window: int, theta: float, share: float) -> list[float]:
    """The formula, token by token."""
    import math

    model = recurrent_lm("gru")
    state = model.start(1)
    keys: list[Any] = []
    words: list[int] = []
    found = []
    for w in ids:
        h = state.layers[-1][0][0]
        p = math.exp(model.predict(state)[0, w])
        if words:
            weights = [math.exp(theta * float(h @ key)) for key in keys[-window:]]
            same = sum(x for x, word in zip(weights, words[-window:], strict=True) if word == w)
            p = (1 - share) * p + share * same / sum(weights)
        found.append(math.log(p))
        keys.append(h)
        words.append(w)
        state = model.advance(state, np.array([w]))
    return found


def test_cache_is_its_formula() -> None:
    lm = recurrent_lm("gru")
    ids = np.random.default_rng(0).integers(11, size=300)
    cache = NeuralCacheLM(lm, window=40, theta=0.8, weight=0.3)
    first, state = cache.read(cache.start(1), ids[None, :13])
    rest, _ = cache.read(state, ids[None, 13:])
    expected = slow_cache(ids.tolist(), 40, 0.8, 0.3)
    np.testing.assert_allclose(np.concatenate([first[0], rest[0]]), expected, atol=1e-4)
