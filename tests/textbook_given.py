"""Patterns of numbers in the textbook chapters that are no measurements."""

from __future__ import annotations

GIVEN = (  # equations, years, settings, lengths, sections
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
    r"0\.1 到 1|保持 1,000|小于 0\.01|a clause of 1 to 20 words",
    r"只训练了 1,500 步|after 2,000 steps|训练 2,000 步|训 练 2,000 步",
    # measured outside this page: benchmarks/RESULTS.md
    r"a vocabulary of 7,072 characters, 3 minutes of training, 5\.7 million parameters",
    r"in 29\.3 % of 3,000 places from both sides and in 21\.9 %",
    r"in the text 90 times",
)
