"""The influence of a token is what changes without it."""

from __future__ import annotations

import numpy as np
import pytest
from toys import recurrent_lm

from charlm.config import CELLS
from charlm.tasks.influence import WINDOW, influence


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
def test_it_is_the_divergence_from_a_reading_with_an_average_token(cell: str, layers: int) -> None:
    lm = recurrent_lm(cell, layers=layers)
    ids = np.array([3, 5, 1, 2, 7, 4])
    found = influence(lm, ids, 5)
    for k in range(5):
        state = lm.start(1)
        for t, id in enumerate(ids[:5]):
            mean = lm.stack.embedding.mean(axis=0, keepdims=True)
            x = lm.stack.embedding[[id]] if t != k else mean
            state = lm.stack.step(state, lm.stack.cells[0].inputs(x))
        other = lm.predict(state)[0].astype(np.float64)
        true = lm.predict(lm.read(lm.start(1), ids[None, :5])[1])[0].astype(np.float64)
        expected = float((np.exp(true) * (true - other)).sum()) / np.log(2)
        assert found[k] == pytest.approx(expected, abs=1e-4)


def test_only_a_window_is_looked_at() -> None:
    ids = np.arange(WINDOW + 30) % 11
    found = influence(recurrent_lm("rnn"), ids, WINDOW + 20)
    assert len(found) == WINDOW + 20
    assert not found[:20].any()
    assert found[20:].any()
    assert len(influence(recurrent_lm("rnn"), ids, 0)) == 0
