"""Two models on the same pairs."""

from __future__ import annotations

import pytest
from toys import pair_of

from charlm.tasks.compare_pairs import compare_pairs
from charlm.tasks.pairs import Pair, score_pairs
from charlm.tasks.proportions import mcnemar

PAIRS = [
    Pair("the cat was full", "the cat were full", "agreement"),
    Pair("a b c", "a d c", "letters"),
    Pair("abc", "abd", "letters"),
    Pair("the cats sat on the mat", "the cats on the mat sat", "order"),
    Pair("the zebra sat", "the zebra ate", "order"),
]
KNOWN = Pair("the cat sat", "the sat cat", "order")  # to the word model


def test_counts_are_those_of_each_model_alone() -> None:
    models = [pair_of("char"), pair_of("word")]
    found = compare_pairs(models, PAIRS)
    alone = [score_pairs(*model, PAIRS) for model in models]
    assert (found.first, found.second) == tuple(one.pairs for one in alone)
    both = list(zip(*([one.decision for one in each.pairs] for each in alone), strict=True))
    overall = found.overall
    assert overall.only_first == both.count(("right", "wrong"))
    assert overall.only_second == both.count(("wrong", "right"))
    assert overall.p == mcnemar(overall.only_first, overall.only_second)
    assert list(found.by_phenomenon) == ["agreement", "letters", "order"]
    assert sum(one.first.total for one in found.by_phenomenon.values()) == 5
    assert found.as_dict()["overall"]["first"] == alone[0].overall.as_dict()


def test_pairs_that_one_model_does_not_know_are_left_out() -> None:
    models = [pair_of("byte"), pair_of("word")]
    found = compare_pairs(models, [*PAIRS, KNOWN], skip_oov=True)
    assert found.skipped == 5
    assert [one.pair for one in found.first] == [one.pair for one in found.second] == [KNOWN]


def test_what_a_model_cannot_decide_is_no_reason_to_prefer_the_other() -> None:
    pairs = [Pair(f"the {x}xyz", f"the {x}zyx") for x in "abcdefghij"]  # unknown to the second
    found = compare_pairs([pair_of("byte"), pair_of("word")], pairs).overall
    assert found.second.undecided == 10
    assert (found.only_first, found.only_second, found.p) == (0, 0, 1)


def test_a_model_is_no_better_than_itself() -> None:
    found = compare_pairs([pair_of("char")] * 2, PAIRS).overall
    assert (found.only_first, found.only_second, found.p) == (0, 0, 1)
    with pytest.raises(Exception, match="two models"):
        compare_pairs([pair_of("char")], PAIRS)
