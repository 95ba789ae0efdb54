"""Claims of sections 7 to 11 of the textbook chapters, and of the Chinese one alone."""

from __future__ import annotations

import math
import statistics

from textbook_measures import (
    Claim,
    agrees,
    by_hand,
    counts_to,
    far_from_subject,
    first_token,
    latest_switch,
    likeliest,
    ngrams,
    odds,
    of,
    recall,
    right_pairs,
    runs_of,
    timer,
    unseen,
    weights,
    wrong,
)

PRONOUNS = ("pairing", "subject", "deed", "subject and deed")
CLAIMS: tuple[Claim, ...] = (
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
