"""The formulas of modified Kneser-Ney smoothing, for n-grams of one order; see `kneser_ney`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import require
from .ngram import MAX_NGRAM_ORDER, START_NATS, Keys, Values

Probabilities: TypeAlias = npt.NDArray[np.float64]
Discounts: TypeAlias = npt.NDArray[np.float64]  # (4,): D for a = 0, 1, 2, and 3 or more

# Used if the counts of counts give none (as in KenLM).
FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)


def thresholds(min_counts: Sequence[int], order: int) -> list[int]:
    """The minimum count of the n-grams of each order to keep; the last one given for all longer.

    Raises CharlmError for settings out of range.
    """
    require(
        1 <= order <= MAX_NGRAM_ORDER, f"order must be from 1 to {MAX_NGRAM_ORDER}, not {order}"
    )
    found = [*min_counts, *[min_counts[-1] if min_counts else 1] * order][:order]
    require(all(n >= 1 for n in found), "min-counts must be at least 1")
    require(found[0] == 1, "min-counts must begin with 1: every word is in the vocabulary")
    require(found == sorted(found), "min-counts must not decrease from one order to the next")
    return found


def counts_of_counts(adjusted: Keys) -> Keys:
    """How many n-grams have a = 1, 2, 3 and 4: n_1 … n_4, (4,)."""
    return np.bincount(np.minimum(adjusted, 5), minlength=6)[1:5]


def discounts(n: Keys) -> Discounts | None:
    """D from the counts of counts n_1 … n_4; None if these give none."""
    if not n.all():
        return None
    Y = n[0] / (n[0] + 2 * n[1])
    D = [i - (i + 1) * Y * n[i] / n[i - 1] for i in (1, 2, 3)]
    return np.array([0.0, *D]) if min(D) > 0 else None


def discounts_by_order(
    counts: Sequence[Keys], warn: Callable[[str], None] = lambda text: None
) -> list[Discounts]:
    """D of each order, from its counts of counts; `warn` is called if some give none."""
    found = [discounts(n) for n in counts]
    without = [str(k) for k, D in enumerate(found, 1) if D is None]
    if without:
        warn(
            "the text is too small, or repeats itself too much, to estimate discounts for n-grams "
            f"of order {', '.join(without)}; using " + ", ".join(map(str, FALLBACK_DISCOUNTS))
        )
    fallback = np.array([0.0, *FALLBACK_DISCOUNTS])
    return [fallback if D is None else D for D in found]


def interpolate(
    prefix: Keys, adjusted: Keys, kept: npt.NDArray[np.bool_], D: Discounts, lower: Probabilities
) -> tuple[Probabilities, Probabilities]:
    """P of the n-grams that go on from some contexts, (K,), and γ of each of these, (contexts,).

    prefix (K,): which context each n-gram goes on from, increasing; lower (K,): P of the same word
    after the shorter context.
    """
    contexts = int(prefix[-1]) + 1 if len(prefix) else 0
    discount = D[np.minimum(adjusted, 3)]
    total = np.bincount(prefix, adjusted, contexts)
    leftover = np.bincount(prefix, np.where(kept, discount, adjusted), contexts)
    with np.errstate(invalid="ignore"):
        gamma = np.where(total > 0, leftover / total, 1.0)
        discounted = np.where(kept, (adjusted - discount) / total[prefix], 0.0)
    return discounted + gamma[prefix] * lower, gamma


def log(values: Probabilities) -> Values:
    """Natural logarithms as models hold them; of 0 what ARPA files have for it."""
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(values), START_NATS).astype(np.float32)
