"""How the numbers of the textbook chapters are measured: from the JSON of their commands."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Found = dict[str, Any]  # by command, its JSON
ALWAYS = math.inf
TRAVEL = '"我喜欢旅游，其中最喜欢的地方是云南，以后有机会一定要去"'


@dataclass(frozen=True)
class Claim:
    """Words of the pages, and the range in which what they say must lie."""

    said: str  # "": of the Chinese page alone
    measure: Callable[[Found], float]
    low: float
    high: float
    zh: str = ""  # the words of the Chinese page, if it has them


def likeliest(model: str) -> Callable[[Found], float]:
    """% of the most probable place to go to."""

    def measure(found: Found) -> float:
        answers = found[f"charlm next {TRAVEL} --model {model} --top-k 3"]["next"]
        return 100 * float(answers[0]["probability"])

    return measure


def of(found: Found, *parts: str) -> Any:
    """What the one command found that has all these parts."""
    (command,) = (one for one in found if all(part in one for part in parts))
    return found[command]


def odds(model: str, *parts: str) -> Callable[[Found], float]:
    """How many times as probable the second sentence is."""

    def measure(found: Found) -> float:
        same = {one: found[one] for one in found if re.search(rf"--model {model}(?: |$)", one)}
        wrong, right = of(same, "charlm score", *parts)
        return math.exp(right["logprob"] - wrong["logprob"])

    return measure


def right_pairs(file: str, model: str, phenomena: Iterable[str]) -> Callable[[Found], float]:
    """How many pairs are right."""

    def measure(found: Found) -> float:
        groups = found[f"charlm pairs data/{file} --model {model}"]["by_phenomenon"]
        return float(
            sum(groups[name]["right"] + groups[name]["undecided"] / 2 for name in phenomena)
        )

    return measure


def shape_right(shape: str, which: Callable[[list[float]], float]) -> Callable[[Found], float]:
    """% of new examples that one of the networks of `lab shapes` answers rightly."""

    def measure(found: Found) -> float:
        shapes = of(found, "lab shapes")["shapes"]
        return 100 * which(next(one["right"] for one in shapes if one["shape"] == shape))

    return measure


def gradient(cell: str, measure: Callable[[Any], float]) -> Callable[[Found], float]:
    """A number of one cell of `lab gradients`."""

    def measured(found: Found) -> float:
        cells = of(found, "lab gradients")["cells"]
        return measure(next(one for one in cells if one["cell"] == cell))

    return measured


def left_after(curve: Any, k: int, since: int = 0) -> float:
    """% of a gradient's norm at one distance that is left at another."""
    return 100 * float(curve["norms"][k] / curve["norms"][since])


def by_bias(place: int) -> Callable[[Found], float]:
    """% of the gradient that is left after 30 steps in a fresh LSTM with one of the biases."""
    return lambda found: left_after(of(found, "lab gradients")["biased"][place], 30)


def truncated(
    part: str, cell: str, T: int, which: Callable[[list[float]], float]
) -> Callable[[Found], float]:
    """Of a cell's losses in `lab bptt` at one T."""

    def measure(found: Found) -> float:
        points = of(found, "lab bptt")[part]
        return which(next(p["losses"] for p in points if p["cell"] == cell and p["bptt"] == T))

    return measure


def recalling(found: Found, lengths: Iterable[int], below: float = 0.5) -> float:
    """How many runs of `lab bptt` recall the symbol, at some T: less than `below` bits."""
    losses = [p["losses"] for p in of(found, "lab bptt")["lagged"] if p["bptt"] in lengths]
    return float(sum(loss < below for own in losses for loss in own))


def by_hand(first: str, index: int, place: int) -> Callable[[Found], float]:
    """What a plain RNN of `lab cell` holds after a step; place: of its weight."""
    return lambda found: float(of(found, first)["steps"][index]["held"][place])


def arrived(kind: str) -> Callable[[Found], float]:
    return lambda found: float(of(found, "lab cliff")["arrived"][kind])


def start(
    name: str, which: Callable[[list[Any]], float], way: str = ""
) -> Callable[[Found], float]:
    """Of the trials of a start, or of a way, in `lab start`."""

    def measure(found: Found) -> float:
        trials = of(found, "lab start")["ways" if way else "starts"]
        return which([one for one in trials if one["way" if way else "start"] == (way or name)])

    return measure


def soonest(trials: list[Any]) -> float:
    return float(min(one["good_after"] or ALWAYS for one in trials))


def latest(trials: list[Any]) -> float:
    return float(max(one["good_after"] or ALWAYS for one in trials))


def learned(trials: list[Any]) -> float:
    return float(sum(one["good_after"] is not None for one in trials))


def echo(lag: int, radius: float) -> Callable[[Found], float]:
    """% right of the echo state network, the mean of the seeds."""

    def measure(found: Found) -> float:
        experiment = of(found, "lab start")
        place = experiment["spectral_radii"].index(radius)
        own = [one["accuracy"][place] for one in experiment["echo"] if one["lag"] == lag]
        return 100 * statistics.fmean(own)

    return measure


def recall(model: str, lag: int, which: Callable[[list[float]], float]) -> Callable[[Found], float]:
    """% right in `lab memory`."""

    def measure(found: Found) -> float:
        recalls = of(found, "lab memory")["recall"]
        return 100 * which(next(r["accuracy"][str(lag)] for r in recalls if r["model"] == model))

    return measure


def counts_to(cell: str, which: Callable[[list[float]], float]) -> Callable[[Found], float]:
    def measure(found: Found) -> float:
        counting = of(found, "lab memory")["counting"]
        return which(next(one["reach"] for one in counting if one["cell"] == cell))

    return measure


def timer(cells: Iterable[str], what: str, which: Callable[..., float]) -> Callable[[Found], float]:
    def measure(found: Found) -> float:
        trials = of(found, "lab timer")["trials"]
        return which(one[what] for one in trials if one["cell"] in cells)

    return measure


def latest_switch(found: Found) -> float:
    trials = of(found, "lab timer")["trials"]
    return float(max(abs(k) for one in trials if one["cell"] != "rnn" for k in one["late"]))


def unseen(words: int) -> Callable[[Found], float]:
    """% of tests' beginnings that a 13-gram has never seen, by words of the clause."""

    def measure(found: Found) -> float:
        sparsity = of(found, "lab agreement --out")["sparsity"]
        return 100 * float(next(one["unseen"][words] for one in sparsity if one["order"] == 13))

    return measure


def ngrams(order: int) -> Callable[[Found], float]:
    def measure(found: Found) -> float:
        sparsity = of(found, "lab agreement --out")["sparsity"]
        return float(next(one["ngrams"] for one in sparsity if one["order"] == order))

    return measure


def agrees(
    condition: int, model: str, lengths: Iterable[int], which: Callable[[list[float]], float]
) -> Callable[[Found], float]:
    """% of right verbs, of the mean of all runs at every length."""

    def measure(found: Found) -> float:
        own = of(found, "lab agreement --out")["conditions"][condition]["accuracy"][model]
        return 100 * which([own[k] for k in lengths if own[k] is not None])

    return measure


def runs_of(found: Found, model: str) -> list[list[float]]:
    """By run, the share of right verbs past attractors at every length."""
    own: list[list[float]] = of(found, "lab agreement --out")["conditions"][1]["by_run"][model]
    return own


def far_from_subject(run: list[float]) -> float:
    """% right over clauses of 11 to 20 words."""
    return 100 * statistics.fmean(share for share in run[11:21] if share is not None)


def wrong(network: str, which: Callable[..., float]) -> Callable[[Found], float]:
    """% wrong about the third machine in `lab depth`."""

    def measure(found: Found) -> float:
        networks = of(found, "lab depth")["networks"]
        right = next(one["right"] for one in networks if one["network"] == network)
        return 100 * which(1 - run[2] for run in right)

    return measure


def first_token(start: str, which: Callable[..., float]) -> Callable[[Found], float]:
    return lambda found: which(of(found, "lab depth")["first_token"]["nats"][start])


def weights(network: str) -> Callable[[Found], float]:
    def measure(found: Found) -> float:
        networks = of(found, "lab depth")["networks"]
        return float(next(one["weights"] for one in networks if one["network"] == network))

    return measure
