"""Kneser-Ney smoothing against its textbook formula."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm.errors import CharlmError
from charlm.models.interpolation import FALLBACK_DISCOUNTS, counts_of_counts, discounts
from charlm.models.kneser_ney import estimate
from charlm.models.ngram import MAX_NGRAM_ORDER

V, EOS = 6, 0


class Reference:
    """Interpolated modified Kneser-Ney, from dictionaries and recursion."""

    def __init__(self, ids: list[int], order: int, lines: bool, least: list[int]) -> None:
        self.order, self.lines, self.least = order, lines, least
        text: list[int] = []
        if lines:
            begin = True
            for i in ids:
                text += [V, i] if begin else [i]
                begin = i == EOS
        else:
            text = [EOS, *ids]
        self.raw: list[Counter[tuple[int, ...]]] = []
        for k in range(1, order + 1):
            counter: Counter[tuple[int, ...]] = Counter()
            for end in range(len(text)):
                gram = tuple(text[end - k + 1 : end + 1])
                if end - k + 1 < 0 or len(gram) < k or (k == 1 and end == 0 and not lines):
                    continue
                if k > 1 and lines and (V in gram[1:] or EOS in gram[:-1]):
                    continue
                counter[gram] += 1
            self.raw.append(counter)
        self.adjusted: list[dict[tuple[int, ...], int]] = []
        for k in range(order):
            if k == order - 1:
                self.adjusted.append(dict(self.raw[k]))
                continue
            kinds = Counter(gram[1:] for gram in self.raw[k + 1])
            self.adjusted.append({gram: kinds.get(gram, 0) or n for gram, n in self.raw[k].items()})
        self.adjusted[0].pop((V,), None)
        self.discounts = [self.discount(a) for a in self.adjusted]

    @staticmethod
    def discount(adjusted: dict[tuple[int, ...], int]) -> list[float]:
        n = [sum(a == i for a in adjusted.values()) for i in range(1, 5)]
        if all(n):
            y = n[0] / (n[0] + 2 * n[1])
            d = [i - (i + 1) * y * n[i] / n[i - 1] for i in (1, 2, 3)]
            if all(0 < x <= i for i, x in enumerate(d, 1)):
                return [0.0, *d]
        return [0.0, *FALLBACK_DISCOUNTS]

    def p(self, context: tuple[int, ...], word: int) -> float:
        k = len(context)
        lower = self.p(context[1:], word) if k else 1 / V
        adjusted, raw = self.adjusted[k], self.raw[k]
        after = [w for w in range(V) if (*context, w) in adjusted]
        total = sum(adjusted[(*context, w)] for w in after)
        if not total:
            return lower
        share, left = 0.0, 0.0
        for w in after:
            gram = (*context, w)
            a = adjusted[gram]
            if k and raw[gram] < self.least[k]:
                left += a
                continue
            d = self.discounts[k][min(a, 3)]
            left += d
            if w == word:
                share = (a - d) / total
        return share + left / total * lower

    def context(self, before: list[int]) -> tuple[int, ...]:
        """As many of the words before as can be seen and are in the model as a context."""
        seen: list[int] = [V] if self.lines else [EOS]
        for i in before:
            seen = [V] if self.lines and i == EOS else [*seen, i]
        return tuple(seen[max(0, len(seen) - self.order + 1) :])


def reference_nats(reference: Reference, ids: list[int]) -> list[float]:
    return [math.log(reference.p(reference.context(ids[:t]), w)) for t, w in enumerate(ids)]


texts = st.lists(st.integers(0, V - 1), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None)
@given(
    ids=texts,
    held_out=texts,
    order=st.integers(1, 4),
    lines=st.booleans(),
    least=st.lists(st.integers(1, 3), min_size=3, max_size=3),
)
def test_equals_the_textbook(
    ids: list[int], held_out: list[int], order: int, lines: bool, least: list[int]
) -> None:
    ids = [*ids, EOS]
    min_counts = [1, *sorted(least)]
    lm = estimate(np.array(ids), V, EOS, order, lines=lines, min_counts=min_counts[:order])
    reference = Reference(ids, order, lines, min_counts)
    for text in (ids, held_out):
        nats, _ = lm.read(lm.start(1), np.array(text)[None])
        np.testing.assert_allclose(nats[0], reference_nats(reference, text), atol=2e-5)


@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize("least", [[1, 1, 1, 1], [1, 2, 2, 3], [1, 1, 3, 3]])
def test_equals_the_textbook_where_counts_are_high(lines: bool, least: list[int]) -> None:
    """With n-grams seen often enough to be kept, and discounts of the counts of counts."""
    ids = [*(np.random.default_rng(3).zipf(1.5, 900).clip(1, V) - 1).tolist(), EOS]
    lm = estimate(np.array(ids), V, EOS, 4, lines=lines, min_counts=least)
    reference = Reference(ids, 4, lines, least)
    assert any(discounts[1:] != list(FALLBACK_DISCOUNTS) for discounts in reference.discounts)
    nats, _ = lm.read(lm.start(1), np.array(ids)[None])
    np.testing.assert_allclose(nats[0], reference_nats(reference, ids), atol=2e-5)
    for k in range(1, 4):
        kept = sum(n >= least[k] for n in reference.raw[k].values())
        assert len(lm.orders[k].keys) == kept


def test_the_last_minimum_count_applies_to_all_longer_n_grams() -> None:
    ids = np.append(np.random.default_rng(3).zipf(1.5, 300).clip(1, V) - 1, EOS)
    short, long = (
        estimate(ids, V, EOS, 4, lines=False, min_counts=least) for least in ([1, 2], [1, 2, 2, 2])
    )
    assert [len(order.keys) for order in short.orders] == [len(o.keys) for o in long.orders]
    assert len(estimate(ids, V, EOS, 4, lines=False).orders[3].keys) > len(short.orders[3].keys)


def test_discounts_are_those_of_the_counts_of_counts() -> None:
    """n = 10, 4, 2, 1 n-grams with a = 1, 2, 3, 4: Y = 10 / 18."""
    adjusted = np.repeat([0, 1, 2, 3, 4, 9], [5, 10, 4, 2, 1, 3])
    Y = 10 / 18
    expected = (1 - 2 * Y * 4 / 10, 2 - 3 * Y * 2 / 4, 3 - 4 * Y * 1 / 2)
    assert discounts(counts_of_counts(adjusted)) == pytest.approx((0, *expected))
    for other in ([6, 3, 4, 1], [10, 4, 2, 0]):  # D of 2 is 0; none with a = 4
        assert discounts(counts_of_counts(np.repeat([1, 2, 3, 4], other))) is None


def test_discounts_fall_back_and_say_so() -> None:
    said: list[str] = []
    estimate(np.array([1, 2, 1, 0]), V, EOS, 3, lines=True, warn=said.append)
    assert said == [
        "the text is too small, or repeats itself too much, to estimate discounts for n-grams "
        "of order 1, 2, 3; using 0.5, 1.0, 1.5"
    ]
    rng = np.random.default_rng(0)
    ids = np.append(rng.zipf(1.3, 20_000).clip(1, 2000) - 1, 0)
    said.clear()
    estimate(ids, 2000, EOS, 2, lines=True, warn=said.append)
    assert said == []


@pytest.mark.parametrize(
    ("order", "min_counts", "message"),
    [
        (0, [], "order must be from 1 to 16, not 0"),
        (17, [], "order must be from 1 to 16, not 17"),
        (2, [2], "min-counts must begin with 1: every word is in the vocabulary"),
        (3, [1, 3, 2], "min-counts must not decrease from one order to the next"),
        (2, [1, 0], "min-counts must be at least 1"),
    ],
)
def test_settings_out_of_range_are_refused(order: int, min_counts: list[int], message: str) -> None:
    with pytest.raises(CharlmError, match=f"^{message}$"):
        estimate(np.array([1, 0]), V, EOS, order, lines=False, min_counts=min_counts)


def test_the_longest_order() -> None:
    ids = np.array([1, 2, 3, 0] * 9)
    assert estimate(ids, V, EOS, MAX_NGRAM_ORDER, lines=False).order == MAX_NGRAM_ORDER
