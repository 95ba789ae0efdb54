"""The filters of sampling as pure functions: temperature, top-k, top-p, and the draw."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from charlm.errors import CharlmError
from charlm.lm import Nats
from charlm.tasks.sampling_filters import (
    Filters,
    apply_min_p,
    apply_temperature,
    apply_top_k,
    apply_top_p,
    apply_typical,
    draw,
    entropy,
    normalise,
)


@st.composite
def distributions(draw: st.DrawFn) -> Nats:
    """(B, V) normalised, with ties and impossible tokens among them."""
    V = draw(st.integers(1, 12))
    row = st.lists(st.sampled_from([0.0, 0.1, 1.0, 1.0, 2.5, 7.0]), min_size=V, max_size=V)
    weights = np.array(draw(st.lists(row, min_size=1, max_size=4)))
    weights[:, draw(st.integers(0, V - 1))] += 0.5
    with np.errstate(divide="ignore"):
        return normalise(np.log(weights))


def mass(nats: Nats) -> Nats:
    return np.asarray(np.exp(nats).sum(axis=-1))


@given(distributions(), st.sampled_from([0.0, 1e-300, 1e-3, 0.5, 1.0, 2.0, 1e300]))
def test_temperature(nats: Nats, temperature: float) -> None:
    hotter = apply_temperature(nats, temperature)
    np.testing.assert_allclose(mass(hotter), 1)
    assert (np.isneginf(hotter) >= np.isneginf(nats)).all()
    if temperature == 0:
        np.testing.assert_array_equal(hotter.argmax(axis=1), nats.argmax(axis=1))
        assert ((hotter == 0).sum(axis=1) == 1).all()
    elif temperature > 1e-100:
        p = np.exp(nats - nats.max(axis=1, keepdims=True)) ** (1 / temperature)
        np.testing.assert_allclose(np.exp(hotter), p / p.sum(axis=1, keepdims=True), atol=1e-12)


@given(distributions(), st.integers(0, 14))
def test_top_k_keeps_the_k_most_probable(nats: Nats, k: int) -> None:
    V = nats.shape[1]
    kept = apply_top_k(nats, k)
    np.testing.assert_allclose(mass(kept), 1)
    for before, after in zip(nats, kept, strict=True):
        possible = np.flatnonzero(~np.isneginf(after))
        expected = sorted(range(V), key=lambda i: (-before[i], i))[: k or V]
        assert set(possible) == {i for i in expected if np.isfinite(before[i])}
        ratios = after[possible] - before[possible]
        np.testing.assert_allclose(ratios, ratios[0], atol=1e-12)


@given(distributions(), st.floats(0.01, 1))
def test_top_p_keeps_the_smallest_set_with_the_mass(nats: Nats, p: float) -> None:
    kept = apply_top_p(nats, p)
    np.testing.assert_allclose(mass(kept), 1)
    for before, after in zip(nats, kept, strict=True):
        order = sorted(range(len(before)), key=lambda i: (-before[i], i))
        probabilities = np.exp(before[order])
        sums = probabilities.cumsum()
        assume(np.abs(sums - p).min() > 1e-9)  # where rounding decides, either is right
        possible = {i for i in order if np.isfinite(before[i])}
        count = 1 + int((sums < p).sum()) if p < 1 else len(order)
        assert {i for i in order if np.isfinite(after[i])} == set(order[:count]) & possible


@given(distributions(), st.floats(0, 1))
def test_min_p_keeps_what_is_probable_enough(nats: Nats, p: float) -> None:
    kept = apply_min_p(nats, p)
    np.testing.assert_allclose(mass(kept), 1)
    ratios = np.exp(nats - nats.max(axis=1, keepdims=True))
    assume(np.abs(ratios - p)[ratios > 0].min() > 1e-9)  # where rounding decides, either is right
    np.testing.assert_array_equal(np.isfinite(kept), (ratios >= p) & (ratios > 0))


@given(distributions(), st.floats(0.01, 1))
def test_typical_keeps_the_smallest_set_nearest_the_entropy(nats: Nats, p: float) -> None:
    kept = apply_typical(nats, p)
    np.testing.assert_allclose(mass(kept), 1)
    for before, after in zip(nats, kept, strict=True):
        possible = np.flatnonzero(np.isfinite(before))
        mean = -(before[possible] * np.exp(before[possible])).sum()
        assert entropy(before) == mean or np.isclose(entropy(before), mean)
        distance = np.abs(-before[possible] - mean)
        apart = np.abs(np.subtract.outer(distance, distance)) > 1e-9
        alike = np.equal.outer(before[possible], before[possible])
        assume(bool((apart | alike).all()))  # rounding decides between others at one distance
        order = sorted(range(len(possible)), key=lambda i: (distance[i], i))
        sums = np.exp(before[possible[order]]).cumsum()
        assume(np.abs(sums - p).min() > 1e-9)
        count = 1 + int((sums < p).sum()) if p < 1 else len(order)
        assert set(np.flatnonzero(np.isfinite(after))) == set(possible[order[:count]])


@given(distributions())
def test_filters_that_are_off_change_nothing(nats: Nats) -> None:
    np.testing.assert_array_equal(Filters()(nats), nats)
    for same in (apply_min_p(nats, 0), apply_typical(nats, 1), apply_top_p(nats, 1)):
        np.testing.assert_allclose(same, nats, atol=1e-12)


@given(
    distributions(),
    st.sampled_from([0.0, 0.5, 2.0]),
    st.integers(1, 5),
    st.floats(0.1, 1),
    st.floats(0, 1),
    st.floats(0.1, 1),
)
def test_filters_are_applied_in_order(
    nats: Nats, temperature: float, top_k: int, top_p: float, min_p: float, typical: float
) -> None:
    expected = apply_top_p(apply_top_k(apply_temperature(nats, temperature), top_k), top_p)
    expected = apply_typical(apply_min_p(expected, min_p), typical)
    found = Filters(temperature, top_k, top_p, min_p, typical)(nats)
    np.testing.assert_allclose(mass(found), 1)
    np.testing.assert_allclose(found, expected, atol=1e-9)


@given(distributions(), st.integers(0, 1 << 30))
def test_draw_never_takes_the_impossible(nats: Nats, seed: int) -> None:
    for u in (0.0, np.nextafter(1, 0), np.random.default_rng(seed).random()):
        ids = draw(nats, np.full(len(nats), u))
        assert np.isfinite(nats[np.arange(len(nats)), ids]).all()


def test_draw_follows_the_distribution() -> None:
    p = np.array([0.5, 0.0, 0.2, 0.25, 0.05])
    n = 200_000
    with np.errstate(divide="ignore"):
        nats = np.broadcast_to(np.log(p), (n, 5))
    ids = draw(nats, np.random.default_rng(0).random(n))
    np.testing.assert_allclose(np.bincount(ids, minlength=5) / n, p, atol=4e-3)


@pytest.mark.parametrize("row", [[-np.inf, -np.inf], [np.nan, 0.0], [np.inf, 0.0]])
def test_what_is_no_distribution_is_not_drawn_from(row: list[float]) -> None:
    with pytest.raises(CharlmError, match="no token a probability"):
        draw(np.array([[0.0, -1.0], row]), np.array([0.5, 0.5]))


def test_the_highest_min_p_leaves_the_most_probable_token() -> None:
    kept = Filters(min_p=1.0)(np.log(np.array([[0.2, 0.5, 0.3]])))
    assert np.exp(kept).tolist() == [[0, 1, 0]]
