"""Beam search against exhaustive search."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import recurrent_lm

from charlm.lm import CausalLM
from charlm.tasks.beam_search import search

EOS = 0


def exhaustive(lm: CausalLM[Any], state: Any, most: int, penalty: float) -> tuple[int, ...]:
    """The best path that ends in <EOS> within `most` tokens, by trying all."""
    found: list[tuple[float, tuple[int, ...]]] = []
    for n in range(most):
        for body in itertools.product(range(1, lm.vocab_size), repeat=n):
            ids = (*body, EOS)
            nats, _ = lm.read(state, np.array(ids)[None])
            found.append((-float(nats.sum(dtype=np.float64)) / len(ids) ** penalty, ids))
    return min(found)[1]


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 500), penalty=st.sampled_from([0.0, 0.6, 1.0]))
def test_a_wide_beam_is_exhaustive_search(seed: int, penalty: float) -> None:
    lm = recurrent_lm("gru", 4, seed=seed, scale=1.0)
    state = lm.advance(lm.start(1), np.array([seed % 4]))
    best = search(lm, state, beam=4**4, max_tokens=4, eos=EOS, length_penalty=penalty)[0]
    assert best.ids == exhaustive(lm, state, 4, penalty)
    assert best.finished


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 500), beam=st.integers(1, 6))
def test_never_less_probable_than_greedy(seed: int, beam: int) -> None:
    lm = recurrent_lm("lstm", 9, seed=seed, scale=1.0)
    state = lm.start(1)
    greedy = search(lm, state, beam=1, max_tokens=12, eos=EOS)[0]
    found = search(lm, state, beam=beam, max_tokens=12, eos=EOS, num=3)
    if greedy.finished:
        assert found[0].finished
        assert found[0].nats >= greedy.nats - 1e-9
    ranked = [path.nats for path in found if path.finished]
    assert ranked == sorted(ranked, reverse=True)
    assert len({path.ids for path in found}) == len(found)
