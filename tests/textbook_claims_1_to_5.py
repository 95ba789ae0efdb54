"""Claims of sections 1 to 5 of the textbook chapters."""

from __future__ import annotations

import statistics

from textbook_measures import (
    ALWAYS,
    Claim,
    arrived,
    by_bias,
    echo,
    gradient,
    latest,
    learned,
    left_after,
    odds,
    of,
    recalling,
    right_pairs,
    shape_right,
    soonest,
    start,
    truncated,
)

LATE = '"The cats, which already ate the fish behind the chair, was calm."'
CLAIMS: tuple[Claim, ...] = (
    Claim("the right one is ×4 as probable here", odds("runs/five", LATE), 3, 5),
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
        "both choose rightly in all 21 pairs",
        lambda found: min(
            right_pairs("demo-pairs.tsv", model, ["breed"])(found)
            for model in ("runs/five", "runs/lstm")
        ),
        21,
        21,
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
)
