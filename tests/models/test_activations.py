"""Every unit after every token is what stepping through the text gives."""

from __future__ import annotations

import numpy as np
import pytest
from toys import recurrent_lm

from charlm.config import CELLS
from charlm.models import activations as module
from charlm.models.activations import activations, network_in
from charlm.models.kneser_ney import estimate
from charlm.models.mixture import MixtureLM
from charlm.models.unigram_cache import UnigramCacheLM


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_activations_are_those_of_advance(
    cell: str, residual: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TOKENS_AT_ONCE", 4)
    lm = recurrent_lm(cell, layers=3, residual=residual)
    ids = np.random.default_rng(1).integers(0, 11, 10)
    chunks = list(activations(lm, ids))
    assert [first for first, _ in chunks] == [0, 4, 8]
    state = lm.start(1)
    for t, i in enumerate(ids):
        _, found = chunks[t // 4]
        for k, layer in enumerate(state.layers):
            below = [found[j, "h"][t % 4][None] for j in range(k)]
            x = (
                lm.stack.inputs(ids[t : t + 1])
                if k == 0
                else lm.stack.cells[k].inputs(sum(below) if residual else below[-1])
            )
            for what, gate in lm.stack.cells[k].gates(x, layer).items():
                np.testing.assert_allclose(found[k, what][t % 4], gate[0], atol=1e-6)
        state = lm.advance(state, np.array([i]))
        for k, layer in enumerate(state.layers):
            for what, part in zip("hc", layer, strict=False):
                np.testing.assert_allclose(found[k, what][t % 4], part[0], atol=1e-6)


def test_a_network_is_found_in_a_mixture() -> None:
    network, grams = recurrent_lm("gru"), estimate(np.arange(99) % 11, 11, 0, 2, lines=True)
    mixture = MixtureLM([grams, network], np.array([[0.5, 0.5]]))
    assert network_in(network) is network
    assert network_in(mixture) is network
    assert network_in(UnigramCacheLM(mixture, 0, 0.1)) is network
    assert network_in(grams) is None
