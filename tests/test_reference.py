"""N-gram models against KenLM's numbers on real text, where that text is at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import charlm
from charlm.measures import LN10
from charlm.models import arpa, model_file
from charlm.runs.ngram_run import NgramRun, count
from charlm.tasks.score import encode_line

DATA = Path(__file__).parents[2] / "shared" / "data"
BROWN, HELD_OUT = DATA / "brown.train.txt", DATA / "brown.valid.txt"

needs_data = pytest.mark.skipif(not BROWN.exists(), reason="the corpora are not there")


@pytest.fixture(scope="module")
def fivegram(tmp_path_factory: pytest.TempPathFactory) -> NgramRun:
    return count(
        BROWN, order=5, level="word", valid=HELD_OUT, out=tmp_path_factory.mktemp("b") / "r"
    )


@needs_data
def test_brown_has_the_perplexity_of_lmplz(fivegram: NgramRun) -> None:
    # lmplz -o 5 --discount_fallback
    assert fivegram.best.perplexity == pytest.approx(383.34, rel=5e-3)
    assert fivegram.best.perplexity_excluding_oov == pytest.approx(279.66, rel=5e-3)
    assert (fivegram.best.oov, fivegram.best.tokens) == (2278, 61157)


@needs_data
def test_kenlm_gives_a_thousand_sentences_the_same_scores(
    fivegram: NgramRun, tmp_path: Path
) -> None:
    kenlm = pytest.importorskip("kenlm", reason="the kenlm package is not installed")
    contents = model_file.read(fivegram.model)
    lm, tokenizer = model_file.build_causal(contents), contents.tokenizer
    path = tmp_path / "m.arpa"
    arpa.write(path, lm, tokenizer)  # type: ignore[arg-type]
    theirs = kenlm.Model(str(path))
    sentences = [line for line in HELD_OUT.read_text("utf-8").splitlines() if line][:1000]
    ours = [
        nats.sum() / LN10 for nats in lm.logprobs([encode_line(tokenizer, s) for s in sentences])
    ]
    np.testing.assert_allclose(ours, [theirs.score(s) for s in sentences], atol=1e-3)


@needs_data
def test_six_characters_of_tinyshakespeare(tmp_path: Path) -> None:
    text = DATA / "tinyshakespeare.txt"
    made = count(text, order=6, context="sentence", out=tmp_path / "r")
    assert made.best.nats_per_char == pytest.approx(1.543, abs=5e-3)
    across = count(text, order=6, out=tmp_path / "s")
    assert across.best.nats_per_char < made.best.nats_per_char - 0.01
    assert charlm.load(tmp_path / "s").score("to be or not to be").logprob < 0
