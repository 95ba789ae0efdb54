"""Comparing two models on the same sentences."""

from __future__ import annotations

import numpy as np
import pytest
from toys import pair_of

from charlm.errors import CharlmError
from charlm.measures import LN2, Measures
from charlm.tasks import compare as comparing
from charlm.tasks.compare import Comparison, Line, compare
from charlm.tasks.score import score

SENTENCES = ["the cat sat", "abc de", "fgh, abc", "", "de"] * 4


def test_totals_are_those_of_score() -> None:
    models = [pair_of("char"), pair_of("word")]
    found = compare(models, SENTENCES, resamples=200)
    for measures, (lm, tokenizer) in zip((found.first, found.second), models, strict=True):
        own = score(lm, tokenizer, SENTENCES)
        assert measures.logprob == pytest.approx(sum(one.logprob for one in own), abs=1e-3)
        assert measures.chars == sum(len(text) + 1 for text in SENTENCES)
    total = sum(line.difference for line in found.lines)
    assert found.difference == pytest.approx(total / found.first.chars)
    low, high = found.interval
    assert low <= found.difference <= high
    assert found.as_dict() == compare(models, SENTENCES, resamples=200).as_dict()


def test_a_model_is_no_better_than_itself() -> None:
    found = compare([pair_of("char")] * 2, SENTENCES, resamples=100)
    assert found.difference == 0
    assert found.interval == (0, 0)
    with pytest.raises(CharlmError, match="no sentences"):
        compare([pair_of("char")] * 2, [])


def test_the_interval_holds_95_of_100_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = (np.arange(1001) - 300) / 1000
    monkeypatch.setattr(comparing, "bootstrap", lambda *_: draws)
    found = compare([pair_of("char")] * 2, SENTENCES)
    assert found.interval == pytest.approx((-0.275, 0.675))
    assert found.better == pytest.approx(300 / 1001)


def test_wins_go_to_whom_they_belong() -> None:
    def of(bits: float) -> Measures:
        return Measures(-bits * LN2, 1, 1, 1)

    pairs = [(1.0, 5.0), (2.0, 2.0), (7.0, 3.0), (1.0, 2.0), (9.0, 1.0)]
    lines = tuple(Line(f"{a} {b}", a, b) for a, b in pairs)
    found = Comparison(lines, of(20), of(13), (0.0, 0.0), 0.5)
    first, second = found.wins()
    assert [line.text for line in first] == ["1.0 5.0", "1.0 2.0"]
    assert [line.text for line in second] == ["9.0 1.0", "7.0 3.0"]
    assert [len(side) for side in found.wins(1)] == [1, 1]
    assert found.difference == pytest.approx(7)


def test_one_string_is_not_a_list_of_sentences() -> None:
    model = pair_of("char")
    with pytest.raises(CharlmError, match="not one string"):
        compare([model, model], "the cat")
    with pytest.raises(CharlmError, match="`seed`"):
        compare([model, model], ["the cat"], seed=-1)
    with pytest.raises(CharlmError, match="`resamples`"):
        compare([model, model], ["the cat"], resamples=0)
