"""What a network has to beat."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import charlm
from charlm.config import TokenizerConfig
from charlm.runs.baseline import count_ngrams, guessing_bits_per_char
from charlm.runs.learning_curves import final_loss
from charlm.text.corpus import Corpus, prepare
from charlm.text.source import open_text


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    path = tmp_path / "text.txt"
    path.write_text("the cat sees the sea\nthe dog eats the fish\n" * 60, "utf-8")
    return prepare(open_text([path]), None, TokenizerConfig("char"), tmp_path / "cache")


def test_it_is_the_model_of_charlm_ngram(corpus: Corpus, tmp_path: Path) -> None:
    found = count_ngrams(corpus, 1 << 19)
    run = charlm.ngram(tmp_path / "text.txt", out=tmp_path / "run")
    assert found.order == run.order
    assert found.measures.as_dict() == run.best.as_dict()
    assert found.tokens == found.of == len(corpus.train)
    assert found.as_dict()["measures"] == run.best.as_dict()


def test_parts_of_long_texts(corpus: Corpus) -> None:
    found = count_ngrams(corpus, 50, 200)
    assert (found.tokens, found.of) == (200, len(corpus.train))
    assert found.measures.tokens == 50


def test_guessing(corpus: Corpus) -> None:
    assert guessing_bits_per_char(corpus) == pytest.approx(np.log2(corpus.tokenizer.vocab_size))


def test_final_loss() -> None:
    rows = [{"step": step, "loss": float(step)} for step in range(1, 101)]
    assert final_loss([*rows, {"step": 100, "valid": {}}]) == pytest.approx(95.5)
    assert final_loss([{"step": 0, "valid": {}}]) is None
