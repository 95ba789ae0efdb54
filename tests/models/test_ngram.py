"""N-gram models as arrays: contexts, tensors, damage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from charlm.errors import CharlmError
from charlm.lm import Ids
from charlm.models import ngram
from charlm.models.kneser_ney import estimate
from charlm.models.ngram import (
    ABSENT,
    FAMILY,
    MANY_KEYS,
    MAX_NATS,
    MAX_NGRAM_ORDER,
    NgramLM,
    NgramState,
    Order,
)

Tensors = dict[str, npt.NDArray[Any]]
V, EOS = 6, 0


def model(seed: int = 0, order: int = 3, *, lines: bool = False, size: int = 400) -> NgramLM:
    ids = np.random.default_rng(seed).zipf(1.5, size).clip(1, V) - 1
    return estimate(np.append(ids, EOS), V, EOS, order, lines=lines)


@pytest.mark.parametrize("lines", [False, True])
def test_matched_is_the_longest_context_known(lines: bool) -> None:
    lm = model(order=4, lines=lines)
    ids = np.random.default_rng(1).integers(V, size=(3, 30))
    along: list[Ids] = []
    state = lm.start(3)
    for ids_B in ids.T:
        along.append(lm.matched(state))
        state = lm.advance(state, ids_B)
    np.testing.assert_array_equal(lm.matched_before(lm.start(3), ids), np.stack(along, axis=1))
    assert along[0].tolist() == [1, 1, 1]  # <s>, or the <EOS> before
    assert np.stack(along).max() == 3


def test_tensors_bring_the_model_back() -> None:
    lm = model(order=3, lines=True)
    again = NgramLM.from_tensors(lm.config(), lm.tensors(), EOS)
    ids = np.arange(V)[None]
    np.testing.assert_array_equal(again.read(again.start(1), ids)[0], lm.read(lm.start(1), ids)[0])


@pytest.mark.parametrize("order", [1, MAX_NGRAM_ORDER])
def test_the_shortest_and_the_longest_order(order: int) -> None:
    lm = model(order=order)
    again = NgramLM.from_tensors(lm.config(), lm.tensors(), EOS)
    ids = np.arange(V)[None]
    np.testing.assert_array_equal(again.read(again.start(1), ids)[0], lm.read(lm.start(1), ids)[0])
    longest = lm.matched_before(lm.start(1), ids).max()
    assert again.matched(again.start(2)).tolist() == [min(1, order - 1)] * 2
    assert longest <= order - 1


def test_nothing_is_matched_before_any_token() -> None:
    lm = model()
    assert lm.matched(lm.empty(2)).tolist() == [0, 0]


def test_renumbered_words_keep_their_probabilities() -> None:
    lm = model(order=3, lines=True)
    new_V = np.array([3, 0, 5, 1, 2, 4, V])
    other = lm.renumbered(new_V)
    assert (other.eos, other.vocab_size, other.order, other.lines) == (3, V, 3, True)
    ids = np.random.default_rng(2).integers(V, size=(2, 30))
    ours, theirs = lm.read(lm.start(2), ids)[0], other.read(other.start(2), new_V[ids])[0]
    np.testing.assert_array_equal(theirs, ours)
    NgramLM.from_tensors(other.config(), other.tensors(), 3)  # in order


def sparse(*orders: dict[int, float]) -> NgramLM:
    """A model of these n-grams: key → log P; β is −0.25 times the length of the n-gram."""
    made = [Order(np.arange(V + 1), np.full(V + 1, -2, np.float32), np.full(V + 1, -0.25, "f"))]
    for k, entries in enumerate(orders, 2):
        keys, nats = np.array(list(entries), np.int64), np.array(list(entries.values()), np.float32)
        made.append(Order(keys, nats, np.full(len(keys), -0.25 * k, np.float32)))
    return NgramLM(made, V, EOS, lines=False)


def test_a_context_may_be_known_whose_end_is_not() -> None:
    """As in files that other tools have pruned: "1 2 3" is there, "2 3" is not."""
    lm = sparse({1 * 7 + 2: -1.0}, {0 * 7 + 3: -1.5}, {0 * 7 + 4: -0.5})
    ids = np.array([[1, 2, 3, 4, 5]])
    state = lm.empty(1)
    for t, i in enumerate(ids[0]):
        stepped = lm.predict(state)[0, i]
        assert stepped == pytest.approx(lm.read(lm.empty(1), ids)[0][0, t], abs=1e-6)
        state = lm.advance(state, np.array([i]))
    assert lm.read(lm.empty(1), ids)[0][0, 3] == pytest.approx(-0.5)


def test_the_start_of_a_sentence_is_never_predicted() -> None:
    """Some files have n-grams that end with <s>; word V has no column."""
    lm = sparse({1 * 7 + 2: -1.0, 1 * 7 + V: -0.125, 2 * 7 + 3: -1.5})
    state = NgramState(np.array([[1], [2]]))
    predicted = lm.predict(state)
    assert predicted.shape == (2, V)
    assert predicted[0].tolist() == [-2.25, -2.25, -1.0, -2.25, -2.25, -2.25]
    assert predicted[1, 3] == -1.5


def replaced(name: str, index: int, value: float) -> Callable[[Tensors], None]:
    def change(tensors: Tensors) -> None:
        tensors[name] = tensors[name].copy()
        tensors[name][index] = value

    return change


LM = model()
LAST_KEY = 7 * len(LM.orders[1].keys)  # of order 3, and one too many


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.update({"order.2.keys": t["order.2.keys"][::-1].copy()}), "order 2 .* fit"),
        (lambda t: t.update({"order.2.nats": t["order.2.nats"][:-1]}), "order 2 .* fit"),
        (lambda t: t.update({"order.2.backoff": t["order.2.backoff"][:-1]}), "order 2 .* fit"),
        (replaced("order.3.keys", -1, LAST_KEY), "order 3 .* not fit: file damaged"),
        (replaced("order.3.keys", 0, -1), "order 3 .* not fit: file damaged"),
        (replaced("order.3.keys", 1, LM.orders[2].keys[0]), "order 3 .* not fit: file damaged"),
        (replaced("order.2.nats", 0, 2 * MAX_NATS), "order.2.nats' holds no log-probabilities"),
        (replaced("order.2.nats", 0, np.nan), "order.2.nats' holds no log-probabilities"),
        (replaced("order.2.backoff", 0, np.nan), "order.2.backoff' holds NaN or infinite"),
        (replaced("order.2.backoff", 0, np.inf), "order.2.backoff' holds NaN or infinite"),
        (lambda t: t.pop("order.1.backoff"), "'order.1.backoff' is missing: the model file is"),
        (lambda t: t.update(more=t["order.1.nats"]), "'more' does not belong there: the model"),
        (
            lambda t: t.update({"order.2.nats": t["order.2.nats"].astype("d")}),
            r"'order.2.nats' is float64 .*, not float32 \(n,\): the model file is damaged",
        ),
        (
            lambda t: t.update({"order.2.keys": t["order.2.keys"][None]}),
            r"'order.2.keys' is int64 \(1, \d+\), not int64 \(n,\): the model file is damaged",
        ),
    ],
)
def test_damaged_tensors_are_refused(change: Callable[[Tensors], None], message: str) -> None:
    tensors = LM.tensors()
    change(tensors)
    with pytest.raises(CharlmError, match=message):
        NgramLM.from_tensors(LM.config(), tensors, EOS)


def test_the_highest_values_allowed_are_accepted() -> None:
    tensors = LM.tensors()
    replaced("order.3.keys", -1, LAST_KEY - 1)(tensors)
    replaced("order.2.nats", 0, MAX_NATS)(tensors)
    replaced("order.2.nats", 1, -np.inf)(tensors)
    NgramLM.from_tensors(LM.config(), tensors, EOS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"order": 0}, "order is 0: the model file is damaged"),
        ({"order": 17}, "order is 17: the model file is damaged"),
        ({"vocab_size": 5}, "has 7 1-grams, not 6: file damaged"),
        ({"lines": 1}, "config: lines|config.*lines"),
    ],
)
def test_damaged_settings_are_refused(change: dict[str, int], message: str) -> None:
    with pytest.raises((CharlmError, ValueError), match=message):
        NgramLM.from_tensors(LM.config() | change, LM.tensors(), EOS)


@pytest.mark.parametrize(("lines", "where"), [(True, "within"), (False, "across")])
def test_its_description(lines: bool, where: str) -> None:
    config = model(lines=lines).config()
    assert FAMILY.describe(config) == f"3-gram model, {where} lines"
    assert FAMILY.short
    assert FAMILY.short(config) == "3-gram model"


def test_long_texts_are_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which changes nothing, however few tokens are looked up at once."""
    lm = model(lines=True)
    ids = np.random.default_rng(2).integers(lm.vocab_size, size=(2, 23))
    whole = lm.read_matched(lm.start(2), ids)
    monkeypatch.setattr(ngram, "TOKENS_AT_ONCE", 8)
    pieces = lm.read_matched(lm.start(2), ids)
    for a, b in zip(whole[:2], pieces[:2], strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype
    np.testing.assert_array_equal(whole[2].contexts_BN, pieces[2].contexts_BN)
    assert whole[0].dtype == np.float32


def test_many_ngrams_are_found_as_few_are() -> None:
    rng = np.random.default_rng(0)
    keys = np.unique(rng.integers(0, 10_000, 3000))
    order = Order(keys, np.zeros(len(keys), np.float32), np.zeros(len(keys), np.float32))
    wanted = rng.integers(-5, 10_100, (30, MANY_KEYS))
    places = {int(key): place for place, key in enumerate(keys)}
    expected = [[places.get(int(key), ABSENT) for key in row] for row in wanted]
    assert order.find(wanted).tolist() == expected
    assert [order.find(row[:9]).tolist() for row in wanted] == [row[:9] for row in expected]
