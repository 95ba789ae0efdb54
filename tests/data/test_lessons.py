"""The sentences of textbooks: in the corpora, or kept out of them for the minimal pairs."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[2] / "data"
DEMO = (DATA / "demo.txt").read_text(encoding="utf-8").splitlines()
ZH = (DATA / "zh.txt").read_text(encoding="utf-8").splitlines()


def pairs_of(name: str) -> list[tuple[str, str, str]]:
    rows = [line.split("\t") for line in (DATA / name).read_text(encoding="utf-8").splitlines()]
    assert rows[0] == ["good", "bad", "phenomenon"]
    return [(good, bad, phenomenon) for good, bad, phenomenon in rows[1:]]


ENGLISH, CHINESE = pairs_of("demo-pairs.tsv"), pairs_of("zh-pairs.tsv")


@pytest.mark.parametrize(
    "sentence",
    [
        "The clouds are in the sky.",
        "I grew up in France, so I speak fluent French.",
        "我喜欢旅游，其中最喜欢的地方是云南，以后有机会一定要去云南。",
        "我出生在法国，七岁才来到中国，我会说法语。",
        "我昨天上学迟到了，老师批评了我。",
    ],
)
def test_the_textbooks_sentences_are_written(sentence: str) -> None:
    assert sentence in [*DEMO, *ZH]


def test_who_grew_up_in_a_country_speaks_its_language() -> None:
    tongues: dict[str, set[str]] = {}
    for line in DEMO:
        if found := re.search(r"grew up in (\w+)\b.* fluent (\w+)", line):
            tongues.setdefault(found[1], set()).add(found[2])
    assert len(tongues) == 8
    assert all(len(found) == 1 for found in tongues.values())
    for line in ZH:
        if found := re.search(r"出生在(..)，.*会说(..)。", line):
            assert found[1][0] == found[2][0]
        if found := re.search(r"最喜欢的地方是(..)，.*一定要去(..)。", line):
            assert found[1] == found[2]


def test_the_mau_and_the_pairs_are_never_written() -> None:
    assert not [line for line in DEMO if "Mau" in line]
    assert len([line for line in DEMO if "Egyptian" in line]) >= 10
    written = {line.lower() for line in [*DEMO, *ZH]}
    for good, bad, _ in [*ENGLISH, *CHINESE]:
        assert good.lower() not in written
        assert bad.lower() not in written
    assert ("The Egyptian Mau is a breed of cat.", "The Egyptian Mau is a bread of cat.") in [
        pair[:2] for pair in ENGLISH
    ]


def test_pairs_differ_in_one_word() -> None:
    for good, bad, phenomenon in ENGLISH:
        apart = [one for one in zip(good.split(), bad.split(), strict=True) if one[0] != one[1]]
        assert len(apart) == 1, phenomenon
    for good, bad, phenomenon in CHINESE:
        assert len(good) == len(bad)
        apart = [one for one in zip(good, bad, strict=True) if one[0] != one[1]]
        assert len(apart) == 1 or phenomenon == "place"


def test_he_and_she_are_balanced_so_that_what_stands_near_tells_nothing() -> None:
    """After every deed both are right equally often, and both were written equally often."""
    right = Counter((good[good.index("，") :][:-2], good[-2]) for good, _, kind in _judged())
    for (near, pronoun), count in right.items():
        assert count == right[near, "他" if pronoun == "她" else "她"]
    judged = [line for line in ZH if re.search(r"(批评|表扬)了[他她]。$", line)]
    she = sum(line.endswith("她。") for line in judged)
    assert 0.45 < she / len(judged) < 0.55


def test_subjects_and_deeds_of_the_pairs_are_kept_out() -> None:
    judged = [line for line in ZH if re.search(r"(批评|表扬)了[我他她]。$", line)]
    told = [line for line in ZH if line not in judged]
    kinds = Counter(kind for *_, kind in _judged())
    assert kinds == {"pairing": 24, "subject": 48, "deed": 48, "subject and deed": 24}
    for subject in ("女儿", "儿子", "小丽", "小刚"):
        assert not [line for line in judged if subject in line]
        assert len([line for line in told if subject in line]) >= 50
    for good, _, kind in _judged():
        if "deed" in kind:
            deed = re.search(r"(?:昨天|今天|前天|上周五|星期一)?(\w+)，", good)
            assert deed
            words = deed[1][-4:]
            assert not [line for line in judged if words in line]
            assert [line for line in told if words in line]


def _judged() -> list[tuple[str, str, str]]:
    return [row for row in CHINESE if row[2] not in ("place", "language")]
