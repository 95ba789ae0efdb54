"""Reranking n-best lists: the formula and the tuning of its weights."""

from __future__ import annotations

import numpy as np
import pytest
from nbest_maker import nbest_task, trigram
from toys import pair_of

from charlm.errors import CharlmError
from charlm.tasks.error_rates import References
from charlm.tasks.nbest import Hypothesis, Utterance
from charlm.tasks.rescore import Scored, Weights, fit_weights, rescore, score
from charlm.tasks.score import score as score_sentences


def test_tuning_beats_the_first_pass_and_not_the_oracle() -> None:
    lm, tokenizer = trigram()
    dev, dev_refs = nbest_task(2)
    found = rescore(lm, tokenizer, dev, dev_refs, tune=True).rates
    assert found is not None
    assert found.oracle.rate <= found.after.rate < 0.6 * found.before.rate
    test, test_refs = nbest_task(3)  # and on what it was not tuned on
    tuned = rescore(lm, tokenizer, test, test_refs, dev=(dev, dev_refs))
    assert tuned.rates is not None
    assert tuned.dev == found
    assert tuned.rates.oracle.rate <= tuned.rates.after.rate < 0.7 * tuned.rates.before.rate
    alone = rescore(lm, tokenizer, test, dev=(dev, dev_refs))
    assert (alone.best, alone.rates, alone.weights) == (tuned.best, None, tuned.weights)


def test_weights_are_those_with_the_fewest_errors_of_the_grid() -> None:
    lm, tokenizer = trigram()
    dev, dev_refs = nbest_task(2)
    scored, references = score(lm, tokenizer, dev), References(dev, dev_refs)
    fewest = references.distances_N[scored.best(fit_weights(scored, references))].sum()
    for alpha in (0.0, 0.3, 1.0, 3.0):
        for beta in (-1.0, 0.0, 1.0):
            assert fewest <= references.distances_N[scored.best(Weights(alpha, beta))].sum()


def test_a_penalty_for_unknown_words() -> None:
    lm, tokenizer = trigram()
    utterance = Utterance("u", (Hypothesis("the pear", 0.0), Hypothesis("the qqq zzz", 0.0)))
    closed, penal = (score(lm, tokenizer, [utterance], "closed", p).lm_N for p in (None, 7.0))
    np.testing.assert_allclose(closed - penal, [0, 14])
    assert rescore(lm, tokenizer, [utterance], oov_penalty=7.0).oov == "closed"
    with pytest.raises(CharlmError, match="leave out `oov`"):
        rescore(lm, tokenizer, [utterance], oov_penalty=7.0, oov="spelled")


def test_rescoring_in_one_call() -> None:
    lm, tokenizer = trigram()
    utterances, references = nbest_task()
    plain = rescore(lm, tokenizer, utterances)
    assert (plain.weights, plain.rates) == (Weights(1.0, 0.0), None)
    found = rescore(lm, tokenizer, utterances, {**references, "other": "x"}, tune=True)
    assert found.rates is not None
    assert found.rates.oracle.rate <= found.rates.after.rate < found.rates.before.rate
    assert found.unmatched == 1
    assert list(found.best) == [utterance.id for utterance in utterances]
    again = rescore(lm, tokenizer, utterances, alpha=found.weights.alpha, beta=found.weights.beta)
    assert again.best == found.best
    for settings, message in (
        ({"tune": True}, "needs references"),
        ({"tune": True, "references": references, "beta": 1.0}, "leave them out"),
        ({"beta": float("inf")}, "`beta` must be a finite number"),
    ):
        with pytest.raises(CharlmError, match=message):
            rescore(lm, tokenizer, utterances, **settings)


def test_no_weights_no_change() -> None:
    lm, tokenizer = trigram()
    utterances, _ = nbest_task()
    for utterance, ranked in zip(
        utterances, score(lm, tokenizer, utterances).ranked(Weights(0, 0)), strict=True
    ):
        assert [one.hypothesis for one in ranked] == list(utterance.hypotheses)
        assert [one.place for one in ranked] == list(range(1, len(ranked) + 1))


def test_scores_are_those_of_sentences() -> None:
    lm, tokenizer = pair_of("char")
    texts = ["the cat", "the cats", "", "the cat"]
    utterance = Utterance("u", tuple(Hypothesis(text, 0.0) for text in texts))
    measured = [one.measures for one in score_sentences(lm, tokenizer, texts)]
    assert len({one.oov for one in measured}) > 1  # so unknown characters are spelled
    for asked, oov in ((None, "spelled"), ("closed", "closed"), ("exclude", "exclude")):
        scored = score(lm, tokenizer, [utterance], asked)
        assert scored.oov == oov
        np.testing.assert_allclose(scored.lm_N, [one.nats(oov) for one in measured], atol=1e-4)
    same = Utterance("u", tuple(Hypothesis(text, 0.0) for text in ("abc", "de")))
    assert score(lm, tokenizer, [same]).oov == "closed"


def scored_of(*groups: list[tuple[str, float, float | None, float]]) -> Scored:
    """Utterances of (text, first pass, old LM, LM)."""
    utterances = [
        Utterance(f"u{k}", tuple(Hypothesis(t, s, old) for t, s, old, _ in group))
        for k, group in enumerate(groups)
    ]
    return Scored(utterances, np.array([lm for group in groups for *_, lm in group]))


def test_the_formula() -> None:
    scored = scored_of([("a b c", -10.0, -4.0, -3.0), ("", -9.0, -1.0, -2.0)])
    np.testing.assert_allclose(
        scored.combined(Weights(0.5, 0.25)), [-10 + 0.5 * 1 + 0.75, -9 + 0.5 * -1]
    )
    without = scored_of([("a b c", -10.0, None, -3.0)])
    assert without.combined(Weights(0.5, 0.0)).tolist() == [-11.5]


def test_ties_go_to_the_first() -> None:
    scored = scored_of(
        [("a", 1.0, None, 0.0), ("b", 1.0, None, 0.0)],
        [("c", 0.0, None, -1.0), ("d", 2.0, None, -3.0)],
    )
    weights = Weights(1.0, 0.0)
    assert scored.best(weights).tolist() == [0, 2]
    assert [[one.hypothesis.text for one in own] for own in scored.ranked(weights)] == [
        ["a", "b"],
        ["c", "d"],
    ]
