"""Classifying by several models: Bayes' rule, priors, temperature."""

from __future__ import annotations

import numpy as np
import pytest
from toys import pair_of

from charlm.errors import CharlmError
from charlm.tasks.classify import (
    classify,
    fit_temperature,
    log_likelihoods,
    log_posteriors,
    log_priors,
    most_probable,
    read_labelled,
)
from charlm.tasks.score import score


def test_posteriors_are_bayes() -> None:
    models = [pair_of("char"), pair_of("char", "lstm")]
    texts = ["abc", "the cat"]
    likelihoods, _ = log_likelihoods(models, texts)
    for k, (lm, tokenizer) in enumerate(models):
        own = [one.logprob for one in score(lm, tokenizer, texts)]
        np.testing.assert_allclose(likelihoods[:, k], own, atol=1e-4)
    priors = log_priors(["a", "b"], {"a": 0.9})
    np.testing.assert_allclose(np.exp(priors), [0.9, 0.1])
    posteriors = log_posteriors(likelihoods, priors, 1.0)
    joint = np.exp(likelihoods) * [0.9, 0.1]
    np.testing.assert_allclose(np.exp(posteriors), joint / joint.sum(1, keepdims=True))
    for one, row in zip(most_probable(texts, ["a", "b"], posteriors), posteriors, strict=True):
        assert one.label == "ab"[int(row.argmax())]
        assert one.margin == pytest.approx(abs(row[0] - row[1]))
        assert sum(one.posterior.values()) == pytest.approx(1)


def test_temperature_is_found_again() -> None:
    rng = np.random.default_rng(0)
    odds = rng.normal(0, 2, 5000)
    truth = (rng.random(5000) > 1 / (1 + np.exp(-odds))).astype(int).tolist()
    overconfident = 8 * np.stack([odds, np.zeros(5000)], axis=1)
    even = log_priors(["a", "b"], {})
    assert fit_temperature(overconfident, even, truth) == pytest.approx(8, rel=0.2)


@pytest.mark.parametrize(
    "given", [{"c": 0.5}, {"a": 0.0}, {"a": 1.5}, {"a": 0.5, "b": 0.6}, {"a": 0.7, "b": 0.7}]
)
def test_priors_that_are_none(given: dict[str, float]) -> None:
    with pytest.raises(CharlmError, match="prior"):
        log_priors(["a", "b"], given)


def test_labelled_lines() -> None:
    assert read_labelled(["b\tx y", "", "a\tz"], "f", ["a", "b"]) == [("b", "x y"), ("a", "z")]
    for line in ("c\tx", "a x"):
        with pytest.raises(CharlmError, match="f, line 1"):
            read_labelled([line], "f", ["a", "b"])


def test_classifying_in_one_call() -> None:
    models = {"a": pair_of("char"), "b": pair_of("char", "lstm")}
    texts = ["abc", "the cat", "de"]
    found = classify(models, texts)
    assert found.temperature == 1
    assert found.accuracy is None
    assert found.labels == [one.label for one in found.texts]
    labelled = list(zip(found.labels, texts, strict=True))
    assert classify(models, texts, truth=found.labels).accuracy == 1
    other = {"a": "b", "b": "a"}
    assert classify(models, texts, truth=[other[one] for one in found.labels]).accuracy == 0
    tempered = classify(models, texts, calibrate=[*labelled, ("a", "e"), ("b", "e")])
    assert tempered.labels == found.labels
    for settings, message in (
        ({"calibrate": [("a", "x")]}, "no calibration text is labelled b"),
        ({"truth": ["a"]}, "every text"),
        ({"truth": ["a", "b", "c"]}, "labelled c"),
        ({"priors": {"a": 2.0}}, "prior"),
    ):
        with pytest.raises(CharlmError, match=message):
            classify(models, texts, **settings)
    with pytest.raises(CharlmError, match="two models"):
        classify({"a": models["a"]}, texts)
