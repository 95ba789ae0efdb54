"""The laws of `lm.CausalLM`, for every implementation of it.

A new family of models is held to them by one more entry in BY_FAMILY. LAWS holds the laws by
themselves, for models of other files.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import recurrent_lm, variety

from charlm.lm import CausalLM, Ids
from charlm.models.family import FAMILIES
from charlm.models.hashed_ngram import HashedNgramLM
from charlm.models.kneser_ney import estimate
from charlm.models.log_linear import LogLinearLM
from charlm.models.mixture import MixtureLM
from charlm.models.ngram import NgramLM
from charlm.models.other_words import OtherWordsLM
from charlm.models.remembering import RememberingLM
from charlm.models.unigram_cache import UnigramCacheLM


def ngram(order: int, *, lines: bool) -> NgramLM:
    ids = np.random.default_rng(0).zipf(1.4, 500).clip(1, 11) - 1
    return estimate(np.append(ids, 0), 11, 0, order, lines=lines)


SHARES = np.array([1, 0.3, 1, 0.2, 1, 0.4, 1, 0.25, 0.75, 0.1, 1])  # of ids 1 and 5
FEWER = np.array([1, 0.3, 0.2, 0.2, 0.5, 0.4, 0.1, 0.25, 0.75, 0.1, 0.2])  # and of id 3
NETWORKS: dict[str, CausalLM[Any]] = {**variety()}  # each of 11 tokens, as all below
NGRAMS: dict[str, CausalLM[Any]] = {
    f"{order}-gram{', lines' if lines else ''}": ngram(order, lines=lines)
    for order in (1, 2, 4)
    for lines in (False, True)
}
HASHED: dict[str, CausalLM[Any]] = {
    f"hashed {name}": HashedNgramLM.of(lm) for name, lm in NGRAMS.items() if isinstance(lm, NgramLM)
}
MIXTURES: dict[str, CausalLM[Any]] = {
    "mixture": MixtureLM([recurrent_lm("gru"), ngram(3, lines=True)], np.array([[0.4, 0.6]])),
    "mixture by context": MixtureLM(
        [recurrent_lm("lstm"), ngram(3, lines=False)],
        np.array([[0.4, 0.6], [0.1, 0.9], [0.8, 0.2]]),
    ),
}
LOG_LINEAR: dict[str, CausalLM[Any]] = {
    "log-linear": LogLinearLM([recurrent_lm("gru"), ngram(3, lines=True)], [0.7, 0.6]),
    "log-linear, one unused": LogLinearLM([ngram(2, lines=False), recurrent_lm("lstm")], [1.2, 0]),
}
CACHES: dict[str, CausalLM[Any]] = {
    "cache": UnigramCacheLM(recurrent_lm("gru"), 0, 0.3, window=7),
    "cache over n-grams": UnigramCacheLM(ngram(3, lines=True), 0, 0.2, window=50),
}
NARROW: dict[str, CausalLM[Any]] = {
    "other words": recurrent_lm("gru", 7),
    "other words 3-gram": estimate(np.arange(300) ** 2 % 7, 7, 0, 3, lines=True),
}
OTHER_WORDS: dict[str, CausalLM[Any]] = {
    f"{name}{left_out}": OtherWordsLM(lm, 0, 1, np.array(ids), np.log(shares))
    for name, lm in NARROW.items()
    for left_out, ids, shares in (
        ("", [0, 1, 3, 1, 2, 1, 4, 5, 5, 1, 6], SHARES),
        (", some left out", [0, 1, 3, 1, 3, 1, 3, 5, 5, 1, 3], FEWER),
    )
}
BY_FAMILY = {
    "recurrent": NETWORKS,
    "ngram": NGRAMS,
    "hashed-ngram": HASHED,
    "mixture": MIXTURES,
    "log-linear": LOG_LINEAR,
    "recent": CACHES,
    "other-words": OTHER_WORDS,
}
MODELS = {name: lm for models in BY_FAMILY.values() for name, lm in models.items()}
MODELS |= {
    f"remembering {name}": RememberingLM(lm)
    for name, lm in (("network", recurrent_lm("lstm")), ("mixture", MIXTURES["mixture"]))
}
ROUNDING = 2e-5

model = pytest.mark.parametrize("lm", MODELS.values(), ids=MODELS.keys())


def test_every_family_is_held_to_the_laws() -> None:
    assert BY_FAMILY.keys() == FAMILIES.keys(), "a new family wants its models in BY_FAMILY"


@st.composite
def batch(draw: st.DrawFn, min_rows: int = 1) -> Ids:
    """(B, T) ids."""
    rows, length = draw(st.integers(min_rows, 8)), draw(st.integers(0, 20))
    seed = draw(st.integers(0, 1 << 20))
    return np.random.default_rng(seed).integers(11, size=(rows, length))


def after(lm: CausalLM[Any], ids_BT: Ids) -> Any:
    """The state after stepping through `ids`."""
    state = lm.start(len(ids_BT))
    for ids_B in ids_BT.T:
        state = lm.advance(state, ids_B)
    return state


@model
@settings(max_examples=10)
@given(ids=batch())
def test_predictions_sum_to_one(lm: CausalLM[Any], ids: Ids) -> None:
    predicted = lm.predict(after(lm, ids))
    assert predicted.shape == (len(ids), lm.vocab_size)
    np.testing.assert_allclose(np.exp(predicted).sum(axis=1), 1, atol=1e-5)


@model
def test_start_is_empty_and_a_sentence_end(lm: CausalLM[Any]) -> None:
    after_eos = lm.advance(lm.empty(3), np.zeros(3, np.int64))
    np.testing.assert_allclose(lm.predict(lm.start(3)), lm.predict(after_eos), atol=ROUNDING)


@model
@settings(max_examples=10)
@given(ids=batch())
def test_read_is_stepping(lm: CausalLM[Any], ids: Ids) -> None:
    B, T = ids.shape
    state = lm.start(B)
    nats, end = lm.read(state, ids)
    assert nats.shape == (B, T)
    for t in range(T):
        own = lm.predict(state)[np.arange(B), ids[:, t]]
        np.testing.assert_allclose(nats[:, t], own, atol=ROUNDING)
        state = lm.advance(state, ids[:, t])
    np.testing.assert_allclose(lm.predict(end), lm.predict(state), atol=ROUNDING)


@model
@settings(max_examples=10)
@given(ids=batch())
def test_read_all_is_read_of_every_token(lm: CausalLM[Any], ids: Ids) -> None:
    nats_BT, end = lm.read(lm.start(len(ids)), ids)
    nats_BTV, other_end = lm.read_all(lm.start(len(ids)), ids)
    assert nats_BTV.shape == (*ids.shape, lm.vocab_size)
    np.testing.assert_allclose(np.exp(nats_BTV).sum(axis=2), 1, atol=1e-5)
    own = np.take_along_axis(nats_BTV, ids[..., None], 2)[..., 0]
    np.testing.assert_allclose(own, nats_BT, atol=ROUNDING)
    np.testing.assert_allclose(lm.predict(end), lm.predict(other_end), atol=ROUNDING)


@model
@settings(max_examples=10)
@given(ids=batch(), cut=st.integers(0, 20))
def test_read_in_two_parts(lm: CausalLM[Any], ids: Ids, cut: int) -> None:
    whole, end = lm.read(lm.start(len(ids)), ids)
    first, middle = lm.read(lm.start(len(ids)), ids[:, :cut])
    second, last = lm.read(middle, ids[:, cut:])
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), whole, atol=ROUNDING)
    np.testing.assert_allclose(lm.predict(last), lm.predict(end), atol=ROUNDING)


@model
@settings(max_examples=10)
@given(ids=batch(), seed=st.integers(0, 99))
def test_logprobs_are_read_from_the_start(lm: CausalLM[Any], ids: Ids, seed: int) -> None:
    lengths = np.random.default_rng(seed).integers(0, ids.shape[1] + 1, size=len(ids))
    seqs = [row[:n] for row, n in zip(ids, lengths, strict=True)]
    result = lm.logprobs(seqs)
    assert [len(nats) for nats in result] == lengths.tolist()
    for seq, nats in zip(seqs, result, strict=True):
        alone, _ = lm.read(lm.start(1), seq[None])
        np.testing.assert_allclose(nats, alone[0], atol=ROUNDING)


@model
@settings(max_examples=10)
@given(ids=batch(), data=st.data())
def test_rows_do_not_mix(lm: CausalLM[Any], ids: Ids, data: st.DataObject) -> None:
    together = after(lm, ids)
    predicted = lm.predict(together)
    for row, nats in zip(ids, predicted, strict=True):
        np.testing.assert_allclose(lm.predict(after(lm, row[None]))[0], nats, atol=ROUNDING)
    rows = np.array(data.draw(st.lists(st.integers(0, len(ids) - 1), min_size=1)))
    np.testing.assert_allclose(lm.predict(together.take(rows)), predicted[rows], atol=ROUNDING)
    more = together.joined(together.take(rows))
    both = np.concatenate([predicted, predicted[rows]])
    np.testing.assert_allclose(lm.predict(more), both, atol=ROUNDING)


@model
@settings(max_examples=10)
@given(ids=batch())
def test_nothing_given_is_changed(lm: CausalLM[Any], ids: Ids) -> None:
    state = after(lm, ids)
    before, ids_before = copy.deepcopy(state), ids.copy()
    expected = lm.predict(state)
    later = lm.advance(state, np.zeros(len(ids), np.int64))
    nats, _ = lm.read(state, ids)
    held = nats.copy()
    lm.logprobs(list(ids))
    lm.predict(later)[:] = 0  # a caller may write on what it was given
    lm.read(state, ids)[0][:] = 0
    np.testing.assert_array_equal(lm.predict(state), expected)
    np.testing.assert_array_equal(lm.predict(before), expected)
    np.testing.assert_array_equal(ids, ids_before)
    np.testing.assert_array_equal(nats, held)


@model
def test_any_integer_type_will_do(lm: CausalLM[Any]) -> None:
    expected = lm.logprobs([np.arange(11)])[0]
    for dtype in (np.uint8, np.uint16, np.uint32, np.int32):
        np.testing.assert_array_equal(lm.logprobs([np.arange(11, dtype=dtype)])[0], expected)
    assert lm.logprobs([]) == []


LAWS: list[Callable[..., None]] = [
    law
    for name, law in globals().items()
    if name.startswith("test_") and law is not test_every_family_is_held_to_the_laws
]
