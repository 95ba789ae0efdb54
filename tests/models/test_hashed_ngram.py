"""An n-gram model in hash tables gives the numbers of the one it was made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm.errors import CharlmError
from charlm.models.hashed_ngram import HashedNgramLM
from charlm.models.kneser_ney import estimate
from charlm.models.ngram import NgramLM
from charlm.system import tensor_file

V, EOS = 11, 0


def model(order: int, *, lines: bool) -> NgramLM:
    ids = np.random.default_rng(order).zipf(1.4, 800).clip(1, V) - 1
    return estimate(np.append(ids, EOS), V, EOS, order, lines=lines)


MODELS = [(model(n, lines=lines)) for n in (1, 2, 3, 5) for lines in (True, False)]
models = pytest.mark.parametrize("lm", MODELS, ids=lambda lm: f"{lm.order}-{lm.lines}")


@models
@settings(max_examples=30, deadline=None)
@given(ids=st.lists(st.integers(0, V - 1), max_size=30), start=st.booleans())
def test_a_sentence_without_numpy(lm: NgramLM, ids: list[int], start: bool) -> None:
    hashed = HashedNgramLM.of(lm)
    state = lm.start(1) if start else lm.empty(1)
    expected, _ = lm.read(state, np.array([ids], np.int64))
    assert hashed.sentence(ids, start=start) == pytest.approx(float(expected.sum()), abs=1e-4)
    wide = hashed.start(1) if start else hashed.empty(1)
    found, _ = hashed.read(wide, np.array([ids], np.int64))
    np.testing.assert_array_equal(found, expected)


@models
def test_tensors_make_the_same_model(lm: NgramLM, tmp_path: Path) -> None:
    hashed = HashedNgramLM.of(lm)
    again = HashedNgramLM.from_tensors(hashed.config(), hashed.tensors(), EOS)
    ids = np.arange(40)[None] * 7 % V
    np.testing.assert_array_equal(again.read(again.start(1), ids)[0], lm.read(lm.start(1), ids)[0])
    assert sorted(map(len, (o.keys for o in again.orders))) == sorted(
        map(len, (o.keys for o in lm.orders))
    )
    tensor_file.write(tmp_path / "m", "kind", {"a": 1}, hashed.tensors())
    contents, tensors = tensor_file.mapped(tmp_path / "m", "kind")
    assert contents == {"a": 1}
    for name, tensor in hashed.tensors().items():
        np.testing.assert_array_equal(tensors[name], tensor)


@models
def test_sorted_it_is_what_it_was_made_of(lm: NgramLM) -> None:
    again = HashedNgramLM.of(lm).sorted()
    assert (again.vocab_size, again.eos, again.lines) == (lm.vocab_size, lm.eos, lm.lines)
    for ours, theirs in zip(again.orders, lm.orders, strict=True):
        np.testing.assert_array_equal(ours.keys, theirs.keys)
        np.testing.assert_array_equal(ours.nats, theirs.nats)
        np.testing.assert_array_equal(ours.backoff, theirs.backoff)


def forged(**changes: Any) -> dict[str, Any]:
    tensors = dict(HashedNgramLM.of(model(3, lines=True)).tensors())
    return {**tensors, **changes}


@pytest.mark.parametrize(
    ("config", "tensors", "message"),
    [
        ({}, forged(extra=np.zeros(3)), "do not fit"),
        ({"order": 4}, forged(), "do not fit"),
        ({"order": 99}, forged(), "do not fit"),
        ({"vocab_size": 12}, forged(), "do not fit"),
        ({}, forged(**{"order.1.nats": np.zeros(V + 1)}), "do not fit"),
        ({}, forged(**{"order.2.table": np.zeros((7, 2), np.int64)}), "impossible shape"),
        ({}, forged(**{"order.1.nats": np.ones(V + 1, np.float32)}), "no log-probabilities"),
        ({}, forged(**{"order.3.table": np.full((8, 2), -1)}), "no log-probabilities"),
    ],
)
def test_what_does_not_fit_is_refused(
    config: dict[str, Any], tensors: dict[str, Any], message: str
) -> None:
    known = {"vocab_size": V, "order": 3, "lines": True}
    with pytest.raises(CharlmError, match=message):
        HashedNgramLM.from_tensors({**known, **config}, tensors, EOS)


def test_a_forged_table_without_an_empty_row_ends() -> None:
    full = np.full((8, 2), 5, np.int64)
    lm = HashedNgramLM.from_tensors(
        {"vocab_size": V, "order": 3, "lines": True},
        forged(**{"order.2.table": full, "order.3.table": full}),
        EOS,
    )
    assert np.isfinite(lm.sentence([1, 2, 3]))
