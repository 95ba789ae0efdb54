"""What the textbook chapters say in numbers, and how each is measured.

A claim has the words of the English page, those of the Chinese page where it says so too, and a
range. What a training decides differs by processor and seed: such a range is as wide as the
sentence allows, not as what one machine computes. What is arithmetic, or counted, has a narrow one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Found = dict[str, Any]  # by command, its JSON
ALWAYS = math.inf


@dataclass(frozen=True)
class Claim:
    """Words of the pages, and the range in which what they say must lie."""

    said: str
    measure: Callable[[Found], float]
    low: float
    high: float
    zh: str = ""  # the words of the Chinese page, if it has them


def of(found: Found, *parts: str) -> Any:
    """What the one command found that has all these parts."""
    (command,) = (one for one in found if all(part in one for part in parts))
    return found[command]


def odds(*parts: str) -> Callable[[Found], float]:
    """How many times as probable the second sentence is."""

    def measure(found: Found) -> float:
        wrong, right = of(found, "charlm score", *parts)
        return math.exp(right["logprob"] - wrong["logprob"])

    return measure


def right_pairs(file: str, model: str, phenomena: Iterable[str]) -> Callable[[Found], float]:
    """How many pairs are right."""

    def measure(found: Found) -> float:
        groups = of(found, f"pairs data/{file}", f"--model {model}")["by_phenomenon"]
        return float(sum(groups[name]["right"] + groups[name]["undecided"] / 2 for name in phenomena))

    return measure


def shape_right(shape: str, which: Callable[[list[float]], float]) -> Callable[[Found], float]:
    """% of new examples that one of the networks of `lab shapes` answers rightly."""

    def measure(found: Found) -> float:
        shapes = of(found, "lab shapes")["shapes"]
        return 100 * which(next(one["right"] for one in shapes if one["shape"] == shape))

    return measure


LATE = '"The cats, which already ate the fish behind the chair, was calm."'
CLAIMS: tuple[Claim, ...] = (
    Claim("one is ×4 as probable here", odds("--model runs/five", LATE), 3, 5),
    Claim("the right one is ×1,800 as probable", odds("--model runs/lstm", LATE), 20, 1e7),
    Claim(
        "in nine of 14 pairs (seven would be chance)",
        right_pairs("demo-pairs.tsv", "runs/five", ["language"]),
        9,
        9,
    ),
    Claim(
        "the network in all of them",
        right_pairs("demo-pairs.tsv", "runs/lstm", ["language"]),
        13,
        14,
    ),
    Claim(
        "*breed* is more than 1,000 times as probable as *bread* all the same",
        odds("Egyptian Mau"),
        1000,
        ALWAYS,
    ),
    Claim(
        "it marks 73 to 80 % of new sentences without a mistake, by seed",
        shape_right("one to one", max),
        60,
        90,
    ),
    Claim("and marks 99 % or more", shape_right("many to many, Tx = Ty", min), 99, 100),
    Claim("(right in 99 % or more of new reviews", shape_right("many to one", min), 99, 100),
    Claim(
        "93 to 99 % of its reviews are of the kind asked for",
        shape_right("one to many", min),
        85,
        100,
    ),
    Claim(
        "right for 99 % or more of new words", shape_right("many to many, Tx ≠ Ty", min), 97, 100
    ),
)
GIVEN: tuple[str, ...] = ()
