"""The shapes of networks: their texts, their tasks, their page."""

from __future__ import annotations

import json
from random import Random

import pytest

from charlm.errors import CharlmError
from charlm.lab import shapes_text as texts
from charlm.lab.shape_tasks import is_kept_out
from charlm.lab.shapes import STEPS, Shapes, experiment
from charlm.lab.shapes_page import page


@pytest.fixture(scope="module")
def found() -> Shapes:
    return experiment(part=0.02)


def verdict(review: str) -> int | None:
    return texts.verdict(review.split())


def test_names_are_marked_and_months_are_not() -> None:
    rng = Random(1)
    seen = set()
    for _ in range(500):
        words, marks = texts.tagged(rng)
        assert len(words) == len(marks)
        seen |= set(zip(words, marks, strict=True))
    assert {("May", 1), ("May", 0), ("Anna", 1), ("the", 0)} <= seen
    assert not {("Anna", 0), ("the", 1), ("Paris", 1)} & seen
    assert not {"Harry", "Potter", "Hermione", "Granger"} & {word for word, _ in seen}


def test_a_review_has_the_verdict_it_was_made_for() -> None:
    rng = Random(1)
    for _ in range(500):
        words, praises = texts.review(rng)
        assert texts.verdict(words) == praises
    assert verdict(texts.REVIEWED) == 0
    assert verdict("the film was not dull") == 1
    assert (
        texts.verdict(
            ["the", "film", "was", "good", ",", "but", "the", "story", "was", "never", "good"]
        )
        == 0
    )
    assert verdict("the film was good , but the story was good") is None
    assert verdict("the good was film") is None


def test_the_textbooks_review_is_kept_out() -> None:
    assert is_kept_out(texts.REVIEWED.split())
    reviews = [texts.review(Random(k))[0] for k in range(400)]
    assert 0.15 < sum(map(is_kept_out, reviews)) / 400 < 0.35


def test_every_shape_is_trained_tested_and_shown(found: Shapes) -> None:
    assert [one.name for one in found.shapes] == list(STEPS)
    for one in found.shapes:
        assert len(one.trials) == 1
        assert 0 <= one.trials[0].right <= one.trials[0].words_right <= 1
        for example in one.examples:
            width = {len(state) for column in example.columns for state in column.states}
            assert len(width) == 1
            assert all((0 < column.level <= 1) == bool(column.answer) for column in example.columns)
    by_name = {one.name: one.examples[0].columns for one in found.shapes}
    assert [one.read for one in by_name["many to many, Tx = Ty"]] == texts.NAMED.split()
    assert all(one.answer in "01" for one in by_name["one to one"])
    assert [bool(one.answer) for one in by_name["many to one"]] == [False] * 7 + [True]
    assert [one.fed_back for one in by_name["one to many"]][:2] == [False, True]
    turned = by_name["many to many, Tx ≠ Ty"]
    assert "".join(one.read for one in turned[:6]) == "facade"
    assert not any(one.answer for one in turned[:6])
    json.dumps(found.as_dict())


def test_names_are_learned_in_a_few_steps() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("charlm.lab.shapes.STEPS", {"many to many, Tx = Ty": 120})
        (shape,) = experiment().shapes
    assert shape.trials[0].words_right > 0.95


def test_the_page_draws_every_example(found: Shapes) -> None:
    drawn = page(found)
    assert drawn.count("<svg") == sum(len(one.examples) for one in found.shapes)
    assert "Hermione" in drawn


def test_a_part_of_nothing_is_refused() -> None:
    with pytest.raises(CharlmError, match="part of the steps"):
        experiment(part=0)
