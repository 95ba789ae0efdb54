"""The numbers in the report of a run, and where they come from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from report_support import TRAINING, Intact, page_of

import charlm
from charlm.errors import CharlmError
from charlm.models import model_file
from charlm.reports import findings
from charlm.runs import baseline, defaults
from charlm.runs.events import Events
from charlm.runs.ngram_run import estimate_ngram
from charlm.runs.run_directory import RunDirectory
from charlm.runs.run_text import reopen
from charlm.training.run import resume, train


def test_samples_are_kept_at_a_few_validations(intact: Intact) -> None:
    rows = [json.loads(line) for line in (intact.run / "metrics.jsonl").read_text().splitlines()]
    validated = [row for row in rows if "valid" in row]
    assert len(validated) == 10
    assert [row["step"] for row in validated if "sample" in row] == [4, 8, 16, 32, 40]
    kept = intact.found.about["training"]["step"]
    assert {one.step for one in intact.found.written} == {4, 8, 16, 32, 40, kept}


def test_numbers_are_those_of_the_other_commands(intact: Intact) -> None:
    run, found = intact.run, intact.found
    text = reopen(RunDirectory(run), RunDirectory(run).read_config())
    lines = "".join(text.validation()).removesuffix("\n").split("\n")
    expected = charlm.load(run).score(lines, context="stream", tokens=True)
    assert not isinstance(found.heat, str)
    assert found.heat[7].token_scores is not None
    assert expected[7].token_scores is not None
    one, other = found.heat[7].token_scores[-1], expected[7].token_scores[-1]
    assert (one.token, one.rank) == (other.token, other.rank)
    assert one.logprob == pytest.approx(other.logprob, abs=1e-4)
    assert not isinstance(found.surprising, str)
    density = sorted(
        (s.measures.bits_per_char for s in expected if len(s.text) >= 15), reverse=True
    )
    got = [s.measures.bits_per_char for _, s in found.surprising.lines]
    assert got == pytest.approx(density[:10], rel=1e-4)
    assert lines[found.surprising.lines[0][0] - 1] == found.surprising.lines[0][1].text
    order, min_counts = defaults.ngrams("char", 46)
    lm = estimate_ngram(text.corpus, order, lines=False, min_counts=min_counts, events=Events())
    nats, _ = lm.read(lm.start(1), text.corpus.valid[None])
    assert not isinstance(found.baseline, str)
    assert found.baseline.measures.logprob == pytest.approx(nats.sum(dtype=np.float64))
    assert not isinstance(found.gradient, str)
    assert len(found.gradient) == findings.GRADIENT_TOKENS
    how, last = found.settings["training"], found.rows[-1]
    speed = 40 * how["batch_size"] * how["bptt"] / last["seconds"]
    assert found.tokens_per_second == pytest.approx(speed)


def test_large_training_texts_are_counted_in_part(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(baseline, "MAX_COMPARED_TOKENS", 1000)
    page, _ = page_of(run)
    assert "counted only the first 1,000 of the" in page


def test_beginning_of_a_text() -> None:
    assert findings.beginning(["a\nb", "c\nd"], 9) == (["a", "bc", "d"], False)
    assert findings.beginning(["a\nb", "c\nd"], 4) == (["a"], False)
    assert findings.beginning(["one two", " three"], 9) == (["one two"], True)
    assert findings.beginning(["一二三四"], 2) == (["一二"], True)


def test_resuming_keeps_the_samples(elsewhere: Path, finished: Path) -> None:

    class Stops(Events):
        def validated(self, step: int, *rest: Any) -> None:
            if step == 16:
                raise KeyboardInterrupt

    text = finished / "text.txt"
    with pytest.raises(KeyboardInterrupt):
        train(text, level="char", out="runs/tiny", events=Stops(), **TRAINING)
    resume("runs/tiny")
    whole, broken = (
        [(r["step"], r["sample"]) for r in RunDirectory(p).read_metrics(99) if "sample" in r]
        for p in (finished / "runs" / "tiny", Path("runs/tiny"))
    )
    assert whole == broken


def test_no_gradient_without_a_text_to_follow(run: Path) -> None:
    with pytest.raises(CharlmError, match="too short"):
        findings.gradients(model_file.read(run / "model.safetensors"), np.zeros(2, np.uint8))
