"""Learning while coding, against the formulas written out for one text."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest

from charlm.compression import adaptive
from charlm.compression.adaptive import DISCOUNT, ORDER, RATE, Adaptive
from charlm.compression.portable import shares

V, EOS = 5, 0
IDS = np.random.default_rng(3).zipf(1.5, 300).clip(1, V) - 1
SCORES = np.random.default_rng(4).normal(size=(len(IDS), V)).astype(np.float32)


def reference(ids: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """(T, V) P of the next token, in plain float64."""
    counts: defaultdict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
    weights = np.zeros((ORDER + 2, ORDER + 2))
    weights[:, 0] = 1
    history, found = [EOS] * ORDER, []
    for id, model in zip(ids.tolist(), scores.astype(np.float64), strict=True):
        p, inputs, longest = np.full(V, 1 / V), [model], 0
        contexts = [tuple(history[ORDER - k :]) for k in range(ORDER + 1)]
        for k, context in enumerate(contexts):
            n = np.array([counts[context][w] for w in range(V)])
            if n.sum():
                p = (np.maximum(n - DISCOUNT, 0) + DISCOUNT * (n > 0).sum() * p) / n.sum()
                longest = k + 1
            inputs.append(np.log(p))
        log_p = weights[longest] @ np.array(inputs)
        mixed = np.exp(log_p - log_p.max())
        mixed /= mixed.sum()
        found.append(mixed)
        weights[longest] += RATE * (np.array(inputs) @ (np.eye(V)[id] - mixed))
        for context in contexts:
            counts[context][id] += 1
        history = [*history[1:], id]
    return np.array(found)


def run(one: Adaptive, ids: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """(T, V) for one text, by the class."""
    one.start(1)
    found = []
    for id, row in zip(ids, scores, strict=True):
        found.append(shares(one.scores(row[None]))[0])
        one.learn(np.array([id]))
    return np.array(found)


def test_it_follows_the_formulas() -> None:
    np.testing.assert_allclose(
        run(Adaptive(V, EOS), IDS, SCORES), reference(IDS, SCORES), atol=1e-6
    )


def test_at_first_the_model_stands_alone() -> None:
    one = Adaptive(V, EOS)
    one.start(3)
    np.testing.assert_allclose(one.scores(SCORES[:3]), SCORES[:3], atol=1e-6)


def test_what_comes_again_becomes_probable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adaptive, "RATE", 0.01)
    ids = np.array([1, 2, 3, 4, 0] * 60)
    found = run(Adaptive(V, EOS), ids, np.zeros((300, V), np.float32))
    told = found[np.arange(300), ids]
    assert told[:2] == pytest.approx(0.2)
    assert told[-5:].min() > 0.95


def test_rows_learn_from_each_other_and_are_coded_before() -> None:
    one = Adaptive(V, EOS)
    one.start(4)
    before = one.scores(np.zeros((4, V), np.float32))
    one.learn(np.array([2, 2, 2, 3]))
    assert (before == 0).all()
    assert one.counts[0][0].tolist() == [0, 0, 3, 1, 0]
    one.weights[:, 1] = 1
    assert (one.scores(np.zeros((4, V), np.float32)).argmax(axis=1) == 2).all()


def test_counts_are_halved_before_they_overflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adaptive, "HALVED_AT", 8)
    one = Adaptive(V, EOS)
    one.start(1)
    for id in [1, 1, 1, 2, 2, 1, 1, 1, 1]:
        one.scores(np.zeros((1, V), np.float32))
        one.learn(np.array([id]))
    assert one.counts[0][0].tolist() == [0, 7, 2, 0, 0]
    one.scores(np.zeros((1, V), np.float32))
    one.learn(np.array([1]))
    assert one.counts[0][0].tolist() == [0, 4, 1, 0, 0]


def test_a_large_vocabulary_has_no_contexts() -> None:
    one = Adaptive(20_000, EOS)
    one.start(2)
    for _ in range(3):
        one.scores(np.zeros((2, 20_000), np.float32))
        one.learn(np.array([7, 9]))
    assert [counts.shape for counts in one.counts] == [(1, 20_000)]
    assert sum(counts.nbytes for counts in Adaptive(257, 256).counts) <= 6 * (1 << 26)
