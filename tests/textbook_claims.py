"""What the textbook chapters say in numbers, and how each is measured.

A claim has the words of the English page, those of the Chinese page where it says so too, and a
range. What a training decides differs by processor and seed: such a range is as wide as the
sentence allows, not as what one machine computes. What is arithmetic, or counted, has a narrow one.
"""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Found = dict[str, Any]  # by command, its JSON
ALWAYS = math.inf


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


PRONOUNS = ("pairing", "subject", "deed", "subject and deed")
TRAVEL = '"我喜欢旅游，其中最喜欢的地方是云南，以后有机会一定要去"'
LATE = '"The cats, which already ate the fish behind the chair, was calm."'
CLAIMS: tuple[Claim, ...] = (
    Claim("one is ×4 as probable here", odds("runs/five", LATE), 3, 5),
    Claim("the right one is ×1,800 as probable", odds("runs/lstm", LATE), 20, 1e7),
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
        odds("runs/lstm", "Egyptian Mau"),
        1000,
        ALWAYS,
    ),
    Claim(
        "it marks 73 to 80 % of new sentences without a mistake, by seed",
        shape_right("one to one", max),
        60,
        90,
        zh="只有 73 到 80 %",
    ),
    Claim(
        "and marks 99 % or more",
        shape_right("many to many, Tx = Ty", min),
        99,
        100,
        zh="标对 99 % 以上的句子",
    ),
    Claim("(right in 99 % or more of new reviews", shape_right("many to one", min), 99, 100),
    Claim(
        "93 to 99 % of its reviews are of the kind asked for",
        shape_right("one to many", min),
        85,
        100,
    ),
    Claim(
        "right for 99 % or more of new words",
        shape_right("many to many, Tx ≠ Ty", min),
        97,
        100,
        zh="99 % 以上的新词完全正确",
    ),
    # ------------------------------------------------------------------------- 4: truncation
    Claim(
        "one step of gradient more than none is worth 0.07 nats a character to the RNN",
        lambda found: (
            truncated("points", "rnn", 1, statistics.fmean)(found)
            - truncated("points", "rnn", 2, statistics.fmean)(found)
        ),
        0.03,
        0.15,
    ),
    Claim(
        "beyond T = 4 nothing is gained",
        lambda found: (
            truncated("points", "rnn", 4, statistics.fmean)(found)
            - truncated("points", "rnn", 64, statistics.fmean)(found)
        ),
        -0.1,
        0.03,
        zh="T 大于 4 以后几乎没有好处",
    ),
    Claim(
        "With T = 16 or more both cells recall it in every run",
        lambda found: recalling(found, (16, 32, 64)),
        18,
        18,
        zh="T = 16 以上，两种网络每次都学会",
    ),
    Claim(
        "With T = 1, 2 or 4 none does",
        lambda found: recalling(found, (1, 2, 4)),
        0,
        0,
        zh="T = 4 以下，一次也学不会",
    ),
    Claim(
        "With T = 8 the gradient never reaches the symbol either, and yet one run out of six "
        "learned most of it",
        lambda found: recalling(found, (8,)),
        0,
        2,
    ),
    # -------------------------------------------------------------------------- 5: gradients
    Claim(
        "(27 % is left after 20 steps)",
        gradient("rnn", lambda c: left_after(c["fresh"], 20)),
        20,
        35,
    ),
    Claim("(0.1 %)", gradient("gru", lambda c: left_after(c["fresh"], 20)), 0.03, 0.3),
    Claim(
        "less than 1 % is left from k = 26 on",
        gradient("lstm", lambda c: c["trained"]["faded"] or 60),
        8,
        45,
    ),
    Claim("in the RNN from 28 on", gradient("rnn", lambda c: c["trained"]["faded"] or 60), 15, 45),
    Claim("1.04 nats a character", gradient("lstm", lambda c: c["loss"]), 0.85, 1.25),
    Claim("the RNN 0.80.)", gradient("rnn", lambda c: c["loss"]), 0.65, 0.95),
    Claim(
        "of what there is ten steps back, 68 % (GRU)",
        gradient("gru", lambda c: left_after(c["lagged"], 29, 10)),
        30,
        150,
    ),
    Claim(
        "and 90 % (LSTM) is left after 29",
        gradient("lstm", lambda c: left_after(c["lagged"], 29, 10)),
        50,
        150,
    ),
    Claim(
        "to a 5,800th",
        gradient("rnn", lambda c: 100 / left_after(c["lagged"], 29, 10)),
        1,
        1e7,
    ),
    Claim("after 30 steps 0.002 % is left", by_bias(0), 0.0005, 0.01),
    Claim("with 1, 6 %", by_bias(1), 4, 9),
    Claim("with 2 or 4 about a quarter", by_bias(2), 15, 35),
    Claim(
        "by 47 in one step here",
        lambda found: max(
            one["longest_step"]
            for one in of(found, "lab cliff")["descents"]
            if one["kind"] == "not clipped"
        ),
        46,
        48,
    ),
    Claim("Of ten beginnings four arrive", arrived("not clipped"), 4, 4),
    Claim("ten of ten do", arrived("norm clipped"), 10, 10),
    Claim("only two do", arrived("values clipped"), 2, 2),
    Claim("none of three runs gets beyond chance in 600 steps", start("small", learned), 0, 0),
    Claim("from torch's uniform ones one does", start("uniform", learned), 0, 2),
    Claim(
        "an identity matrix (with relu: Le et al. 2015) or an orthogonal one all do, within "
        "30 steps",
        lambda found: max(start("identity", latest)(found), start("orthogonal", latest)(found)),
        1,
        60,
    ),
    Claim("The LSTM takes 250 to 460", start("LSTM", soonest), 120, 600),
    Claim("and 50 to 70 with gate biases that suit the lag", start("LSTM chrono", latest), 20, 150),
    Claim("Adam needs 20 to 50 gradients", start("", latest, "Adam"), 10, 200),
    Claim("150 to 190", start("", latest, "momentum"), 60, 600),
    Claim("608 to 1,308", start("", latest, "Hessian-free"), 300, ALWAYS),
    Claim("SGD needs 10 to 50, by luck", start("", soonest, "SGD"), 5, ALWAYS),
    Claim(
        "recalls across 20 symbols with spectral radii from 1 to 2",
        lambda found: min(echo(20, 1.0)(found), echo(20, 2.0)(found)),
        97,
        100,
    ),
    Claim(
        "across 40 it is right 85 % of the time at best, with a radius of 1.4",
        echo(40, 1.4),
        75,
        93,
    ),
    # ------------------------------------------------------------ 7: cell, memory, timer, clauses
    Claim(
        "at step 202 the cell still reads 4.2",
        lambda found: float(of(found, "lab cell --out")["steps"][201]["y"]),
        4.2,
        4.2,
        zh="第 202 步读出的仍是 4.2",
    ),
    Claim(
        "∂c_202/∂c_1 = 1",
        lambda found: float(of(found, "lab cell --out")["cell_gradient"][0]),
        1,
        1,
        zh="∂c_202/∂c_1 = 1",
    ),
    Claim(
        "it holds what noise came last, −1.08", by_hand("lab cell --out", 200, 0), -1.085, -1.075
    ),
    Claim("and −0.03 both times", by_hand("lab cell write 1", 200, 1), -0.035, -0.025),
    Claim("but to 6.07 both times", by_hand("lab cell write 1", 200, 2), 6.065, 6.075),
    Claim(
        "its gradient back to the first step is 0.003 at most",
        lambda found: max(g[0] for g in of(found, "lab cell write 1")["rnn_gradients"]),
        0.0025,
        0.0035,
    ),
    Claim(
        "The plain RNN recalls it across 10 symbols in every run",
        recall("rnn", 10, min),
        99,
        100,
        zh="RNN 每次都能记住 10 步以前的符号",
    ),
    Claim("(84 and 66 % on average)", recall("rnn", 20, statistics.fmean), 45, 100),
    Claim(
        "and across 100 it answers by chance",
        recall("rnn", 100, statistics.fmean),
        45,
        55,
        zh="100 步就只能猜",
    ),
    Claim(
        "LSTM and GRU recall it across 100",
        lambda found: min(recall("lstm", 100, min)(found), recall("gru", 100, min)(found)),
        99,
        100,
        zh="LSTM 和 GRU 记得住 100 步",
    ),
    Claim("to 25, 37 and 47 in three runs", counts_to("lstm", min), 20, 60),
    Claim("The GRU stops at 23 to 25", counts_to("gru", max), 20, 32),
    Claim(
        "19, 21 and 40, and on another processor, with the same seeds, 17, 17 and 27",
        counts_to("rnn", min),
        10,
        30,
    ),
    Claim(
        "GRU and LSTM are off by 0.002 to 0.007 on average",
        timer(("gru", "lstm"), "error", max),
        0.001,
        0.02,
        zh="平均误差小于 0.01",
    ),
    Claim("they switch off at most 12 steps from where they should", latest_switch, 1, 40),
    Claim("The plain RNN, at 0.17 to 0.20", timer(("rnn",), "error", min), 0.1, 0.25),
    Claim("96 % of the tests' beginnings with a clause of three words", unseen(3), 94, 98),
    Claim("98 % of those with four", unseen(4), 96, 99.9),
    Claim("only 36 % are missing", unseen(2), 33, 39),
    Claim("6,200 different trigrams", ngrams(3), 6_000, 6_400),
    Claim("129,000 13-grams", ngrams(13), 128_000, 130_000),
    Claim(
        "from a clause of two words on",
        agrees(1, "5-gram", range(2, 21), max),
        0,
        58,
        zh="n 元模型从两个词的从句起就只能猜",
    ),
    Claim("it falls from 99 % to 78 % as the clause grows", agrees(0, "RNN", [20], max), 55, 97),
    Claim("with attractors from 94 % to 71 %", agrees(1, "RNN", [20], max), 45, 97),
    Claim(
        "it is right 55, 92 and 94 % of the time, by run",
        lambda found: min(map(far_from_subject, runs_of(found, "RNN"))),
        45,
        95,
    ),
    Claim(
        "GRU and LSTM are practically always right",
        lambda found: min(
            agrees(1, "GRU", range(3, 21), min)(found), agrees(1, "LSTM", range(3, 21), min)(found)
        ),
        97,
        100,
        zh="GRU 和 LSTM 几乎总是对的",
    ),
    Claim(
        "All three n-gram models are right in exactly half of the 144 pairs with a pronoun",
        lambda found: sum(
            abs(right_pairs("zh-pairs.tsv", f"runs/zh-{order}", PRONOUNS)(found) - 72)
            for order in ("two", "three", "five")
        ),
        0,
        0,
        zh="2 元、3 元和 5 元模型都正好对一半",
    ),
    Claim(
        "The LSTM is right in 142",
        right_pairs("zh-pairs.tsv", "runs/zh", PRONOUNS),
        137,
        144,
        zh="LSTM 在 144 对中对 142 对",
    ),
    # ---------------------------------------------------------------- 8 to 11: uses of a model
    Claim(
        "*phone … buy* gets more than 99 %",
        lambda found: 100 * of(found, "fill", "phone")["found"][0]["probability"],
        95,
        100,
    ),
    Claim(
        "if it may judge whole lines (92 %)",
        lambda found: 100 * of(found, "fill", "phone")["compared"][0]["probability"],
        60,
        100,
    ),
    Claim(
        "more than 99.9 % from both sides",
        lambda found: 100 * of(found, "fill", "手机")["found"][0]["probability"],
        99,
        100,
        zh="从两边看的概率在 99.9 % 以上",
    ),
    Claim(
        "and 91 % from the left alone",
        lambda found: 100 * of(found, "fill", "手机")["left_only"][0]["probability"],
        70,
        99.5,
        zh="只从左边看是 91 %",
    ),
    Claim("with 1,967 weights", weights("3 layers"), 1967, 1967, zh="（1,967 个权重）"),
    Claim("with 1,985 weights", weights("1 layer"), 1985, 1985, zh="（1,985 个权重）"),
    Claim("two dense ones, 1,995 weights", weights("1 layer, 2 dense"), 1995, 1995),
    Claim(
        "about the third machine in 0.5 to 3.6 % of the steps",
        wrong("3 layers", max),
        0,
        6,
        zh="答错 0.5 到 3.6 %",
    ),
    Claim("in 6 to 11 %", wrong("1 layer", min), 4, 15, zh="答错 6 到 11 %"),
    Claim("is wrong in 17 to 23 %", wrong("1 layer, 2 dense", min), 10, 30, zh="答错 17 到 23 %"),
    Claim("costs 2.5 to 2.7 nats", first_token("zero", statistics.fmean), 2, 3.3),
    Claim("and 1.12 to 1.15", first_token("learned", max), 1.1, 1.25),
    Claim("(1.12)", lambda found: of(found, "lab depth")["first_token"]["entropy"], 1.11, 1.13),
    Claim(
        "three layers are behind one: 0.42 against 0.38 bits per character",
        lambda found: (
            of(found, "charlm compare", "runs/deep")["second"]["bits_per_char"]
            - of(found, "charlm compare", "runs/deep")["first"]["bits_per_char"]
        ),
        0.01,
        0.1,
    ),
    Claim(
        "is *hours of sleep a day.*, with more than 99 %",
        lambda found: 100 * math.exp(of(found, "complete", "Cats average")[0]["logprob"]),
        99,
        100,
    ),
    Claim(
        "*were full.*, with 36 %",
        lambda found: 100 * math.exp(of(found, "complete", "otters")[0]["logprob"]),
        10,
        80,
    ),
    Claim(
        "the memory c of unit 71 is low inside quotation marks (r = −0.44, where chance gives "
        "0.08)",
        lambda found: abs(of(found, "lab neurons")["properties"][0]["units"][0]["r"]),
        0.25,
        0.8,
    ),
    Claim(
        "0.38 against 0.46 bits per character",
        lambda found: (
            of(found, "charlm compare", "runs/chars")["second"]["bits_per_char"]
            - of(found, "charlm compare", "runs/chars")["first"]["bits_per_char"]
        ),
        0.02,
        0.4,
    ),
    # ------------------------------------------------------------------- the Chinese page alone
    Claim(
        "",
        odds("runs/zh", "妹妹"),
        20,
        1e7,
        zh="概率是另一句的 7,400 倍",
    ),
    Claim("", odds("runs/zh-five", "妹妹"), 0.85, 0.95, zh="差不多（0.9 倍）"),
    Claim(
        "",
        likeliest("runs/zh"),
        60,
        100,
        zh="“云”的概率是 98 %",
    ),
    Claim(
        "",
        likeliest("runs/zh-five"),
        18,
        20,
        zh="最可能的一个字也只有 19 %",
    ),
    Claim(
        "",
        lambda found: of(found, "charlm compare", "zh-subword")["first"]["tokens"],
        6811,
        6811,
        zh="从 6,811 个词元",
    ),
    Claim(
        "",
        lambda found: of(found, "charlm compare", "zh-subword")["second"]["tokens"],
        4500,
        5000,
        zh="变成 4,764 个",
    ),
    Claim(
        "",
        lambda found: (
            of(found, "charlm compare", "zh-subword")["second"]["bits_per_char"]
            - of(found, "charlm compare", "zh-subword")["first"]["bits_per_char"]
        ),
        0,
        0.4,
        zh="每个字符要 0.84 比特，以字为词元的模型是 0.75 比特",
    ),
    Claim(
        "",
        lambda found: 100 * math.exp(of(found, "complete", "法国")[0]["logprob"]),
        30,
        100,
        zh="生在法国的人会说法语（86 %）",
    ),
)
GIVEN = (  # patterns of what is no measurement: equations, years, settings, lengths, sections
    r"(?:19|20)\d\d\b|across 11 to 20 words|Cats average 15",
    r"s\^\{\(\d\)\}|e\^\{−z\}|\{t[−+]1\}|\{\(2\)\}_\{t−1\}|1 / \(1|\b[1n] − [1zn]\b|z_t = 1",
    r"‖W‖ [<>=] [\d.]+|\b[kTnw] = [\d.]+\d?|\bx_1\b",
    r"\b\d+-(?:gram|and)|the 3- and the|[2345] 元|\(?sections? \d+(?: and \d)?|decision 10",
    r"of 14 pairs|of the 144 pairs|144 对",
    r"in so few steps, 400|guessing \(1 bit\)|as bits: 1",
    r"the one 30 steps earlier|With forget biases of 0|biases begin at 1|偏置一开始取 1",
    r"50 steps of|is to be 0\.7|in a picture 2\.6 wide",
    r"the symbol 20 before it|With Adam at 0\.001|it took over 1,000",
    r"Write 4\.2|写入 4\.2|or 200 steps|after 200 steps|whether 4\.2 was written or 1|保持 200 步",
    r"of a small number, 0\.3, not even that \(in 37 of 100",
    r"across 20 and 30|u₂ between 0\.1 and 1|to be 0\.5, for 1,000|up to 200 steps|up to 1,000",
    r"保持 1,000|小于 0\.01|a clause of 1 to 20 words",
    r"只训练了 1,500 步|after 2,000 steps|训练 2,000 步|训 练 2,000 步",
    # measured outside this page: benchmarks/RESULTS.md
    r"a vocabulary of 7,072 characters, 3 minutes of training, 5\.7 million parameters",
    r"in 29\.3 % of 3,000 places from both sides and in 21\.9 %",
    r"in the text 90 times",
)
