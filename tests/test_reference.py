"""N-gram models against KenLM's numbers on real text: that of the directory $CHARLM_DATA."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import charlm
from charlm.measures import LN10
from charlm.models import arpa, model_file
from charlm.runs.ngram_run import NgramRun, count
from charlm.tasks.score import encode_line

VARIABLE = "CHARLM_DATA"  # the directory that holds the corpora
NAMES = ("brown.train.txt", "brown.valid.txt", "tinyshakespeare.txt")
DATA = Path(os.environ.get(VARIABLE, "")).resolve()
BROWN, HELD_OUT, SHAKESPEARE = (DATA / name for name in NAMES)
MISSING = [name for name in NAMES if not (DATA / name).exists()]

pytestmark = [
    pytest.mark.skipif(VARIABLE not in os.environ, reason=f"{VARIABLE} names no directory"),
    pytest.mark.skipif(bool(MISSING), reason=f"{VARIABLE} lacks {', '.join(MISSING)}"),
]


@pytest.fixture(scope="module", autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A working directory for runs/latest to be in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("reference"))
        yield


@pytest.fixture(scope="module")
def fivegram() -> NgramRun:
    return count(BROWN, order=5, level="word", valid=HELD_OUT, out="runs/fivegram")


def test_brown_has_the_perplexity_of_lmplz(fivegram: NgramRun) -> None:
    # lmplz -o 5 --discount_fallback
    assert fivegram.best.perplexity == pytest.approx(383.34, rel=5e-3)
    assert fivegram.best.perplexity_excluding_oov == pytest.approx(279.66, rel=5e-3)
    assert (fivegram.best.oov, fivegram.best.tokens) == (2278, 61157)


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


def test_six_characters_of_tinyshakespeare(tmp_path: Path) -> None:
    made = count(SHAKESPEARE, order=6, context="sentence", out=tmp_path / "r")
    assert made.best.nats_per_char == pytest.approx(1.543, abs=5e-3)
    across = count(SHAKESPEARE, order=6, out=tmp_path / "s")
    assert across.best.nats_per_char < made.best.nats_per_char - 0.01
    assert charlm.load(tmp_path / "s").score("to be or not to be").logprob < 0
