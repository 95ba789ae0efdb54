"""Comparing two models on the same sentences."""

from __future__ import annotations

import numpy as np
import pytest
from toys import pair_of

from charlm.errors import CharlmError
from charlm.tasks.compare import bootstrap, compare
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


def test_bootstrap_has_the_spread_of_the_mean() -> None:
    rng = np.random.default_rng(0)
    extra, chars = rng.normal(0.1, 1.0, 400), np.ones(400)
    drawn = bootstrap(extra, chars, 4000, seed=1)
    assert drawn.mean() == pytest.approx(extra.mean(), abs=0.01)
    assert drawn.std() == pytest.approx(extra.std() / 20, rel=0.1)


def test_one_string_is_not_a_list_of_sentences() -> None:
    model = pair_of("char")
    with pytest.raises(CharlmError, match="not one string"):
        compare([model, model], "the cat")
    with pytest.raises(CharlmError, match="`seed`"):
        compare([model, model], ["the cat"], seed=-1)
    with pytest.raises(CharlmError, match="`resamples`"):
        compare([model, model], ["the cat"], resamples=0)
