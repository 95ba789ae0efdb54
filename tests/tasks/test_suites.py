"""Test suites: regions, conditions, predictions."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from toys import TEXTS, pair_of

from charlm.errors import CharlmError
from charlm.tasks.score import score
from charlm.tasks.suite_files import read, read_file
from charlm.tasks.suites import score_suite


def condition(name: str, *contents: str) -> dict[str, Any]:
    regions = [{"region_number": k, "content": text} for k, text in enumerate(contents, 1)]
    return {"condition_name": name, "regions": regions}


SUITE: dict[str, Any] = {
    "meta": {"name": "toy", "metric": "sum"},
    "region_meta": {"1": "subject", "2": "extra", "3": "verb"},
    "predictions": [
        {"type": "formula", "formula": "(3;%a%) < (3;%b%)"},
        {"type": "formula", "formula": "(*;%a%) = (1;%a%) + (2;%a%) + (3;%a%)"},
        {"type": "formula", "formula": "(1;%a%) = (1;%b%) & (2;%a%) = 0"},
    ],
    "items": [
        {
            "item_number": 1,
            "conditions": [
                condition("a", "the cat", "", "sat on"),
                condition("b", "the cat", "and", "on sat"),
            ],
        },
        {
            "item_number": 2,
            "conditions": [condition("a", "cat", "", "sat ."), condition("b", "cat", "", "mat .")],
        },
    ],
}


def changed(**changes: Any) -> dict[str, Any]:
    return {**SUITE, **changes}


@pytest.mark.parametrize("level", TEXTS)
def test_regions_hold_the_surprisals_of_their_words(level: str) -> None:
    lm, tokenizer = pair_of(level)
    scored = score_suite(lm, tokenizer, read(SUITE, "f"))
    assert [(one.item, one.condition) for one in scored.sentences] == [
        *(("1", "a"), ("1", "b"), ("2", "a"), ("2", "b"))
    ]
    assert scored.sentences[0].text == "the cat sat on"
    assert scored.sentences[1].text == "the cat and on sat"
    for one, sizes in zip(
        scored.sentences, [(2, 0, 2), (2, 1, 2), (1, 0, 2), (1, 0, 2)], strict=True
    ):
        (alone,) = score(lm, tokenizer, [one.text], eos=False, words=True)
        bits = [word.surprisal for word in alone.word_scores or ()]
        ends = [sum(sizes[:k]) for k in range(4)]
        expected = [math.fsum(bits[a:b]) for a, b in pairwise(ends)]
        assert one.surprisals == pytest.approx(expected, abs=1e-5)
        assert one.whole == pytest.approx(math.fsum(bits), abs=1e-5)
    assert [one.held for one in scored.predictions][1:] == [(True, True)] * 2
    less = tuple(
        one.surprisals[2] < other.surprisals[2]
        for one, other in zip(scored.sentences[::2], scored.sentences[1::2], strict=True)
    )
    assert scored.predictions[0].held == less
    means = scored.means()
    assert means["a"][0] == pytest.approx(
        (scored.sentences[0].surprisals[0] + scored.sentences[2].surprisals[0]) / 2
    )
    rows = list(scored.rows())
    assert len(rows) == 12
    assert rows[2]["region_name"] == "verb"
    assert scored.as_dict()["predictions"][1]["accuracy"] == 1


def test_metrics() -> None:
    lm, tokenizer = pair_of("word")
    total, mean, most = (
        score_suite(lm, tokenizer, read(changed(meta={"metric": m}, predictions=[]), "f"))
        for m in ("sum", "mean", "max")
    )
    assert mean.sentences[0].surprisals[0] == pytest.approx(total.sentences[0].surprisals[0] / 2)
    assert most.sentences[0].surprisals[0] > mean.sentences[0].surprisals[0]
    assert total.suite.name == "f"


def test_a_word_belongs_to_the_region_it_begins_in() -> None:
    lm, tokenizer = pair_of("word")
    items = [{"conditions": [condition("a", "the  cat", "sat", "")]}]
    scored = score_suite(lm, tokenizer, read({"items": items}, "f"))
    (one,) = scored.sentences
    assert one.text == "the cat sat"
    assert one.surprisals[2] == 0
    assert one.surprisals[1] > 0
    assert scored.predictions == ()
    assert scored.suite.regions == ("1", "2", "3")


def test_unknown_words_are_counted_by_region() -> None:
    lm, tokenizer = pair_of("word")
    items = [{"conditions": [condition("a", "the zebra", "sat", "yak yak")]}]
    (one,) = score_suite(lm, tokenizer, read({"items": items}, "f")).sentences
    assert one.oov == (1, 0, 2)


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "toy.json"
    path.write_text(json.dumps(SUITE, indent=2))
    assert read_file(path) == read(SUITE, str(path))
    path.write_text("{")
    with pytest.raises(CharlmError, match="is not valid JSON"):
        read_file(path)


ITEMS = SUITE["items"]


@pytest.mark.parametrize(
    ("suite", "message"),
    [
        ([], "a JSON object should stand here"),
        ({}, "items should be a list with something in it"),
        (changed(items=[1]), "f, items 1: a JSON object"),
        (changed(meta={"metric": "mode"}), "the metric is not one of sum"),
        (changed(meta=[]), "f, meta: a JSON object"),
        (changed(predictions=[{"formula": "nothing"}]), "prediction"),
        (changed(predictions=[{}]), "formula should be text"),
        (changed(predictions=[{"formula": "(4;%a%) < 1"}]), r"names \(4;%a%\)"),
        (changed(predictions=[{"formula": "(1;%c%) < 1"}]), "Conditions: a, b; regions: 1 to 3"),
        (changed(items=[{"conditions": [condition("a", "x"), condition("a", "y")]}]), "twice"),
        (changed(items=[{"conditions": [condition("a", "", " ")]}]), "all regions are empty"),
        (changed(items=[{"conditions": [condition("a", "x", "y"), condition("b", "z")]}]), "same"),
        (changed(items=[*ITEMS, {"conditions": [condition("a", "x", "y", "z")]}]), "other cond"),
    ],
)
def test_what_is_no_suite(suite: Any, message: str) -> None:
    with pytest.raises(CharlmError, match=message):
        read(suite, "f")
