"""Frequencies in the text a model was trained on are those of that text."""

from __future__ import annotations

from pathlib import Path

import pytest

import charlm
from charlm.runs import word_frequencies

TEXT = "The cat ate the fish.\nA cat sat.\nFish, fish, fish!\n" * 40


@pytest.mark.parametrize("level", ["char", "byte", "word", "subword"])
def test_of_the_training_text(level: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    size = 300 if level == "subword" else 0
    split = "unicode" if level == "word" else "whitespace"
    made = charlm.ngram(
        tmp_path / "text.txt",
        out=tmp_path / "run",
        level=level,
        order=2,
        vocab_size=size,
        split=split,
    )
    monkeypatch.setattr(word_frequencies, "PIECE", 100)
    model = charlm.load(made.model)
    path = Path(model.info["path"])
    found = word_frequencies.of_training(path, model.tokenizer, model.info["training"])
    expected = word_frequencies.of_files([tmp_path / "text.txt"])
    assert found.counts == expected.counts
    for word in ("cat", "Fish", "zebra"):
        assert found(word) == pytest.approx(expected(word), abs=1e-9)


def test_unknown_words_count_among_all_words(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("a a a b c\n" * 1 + "a a a\n")
    made = charlm.ngram(
        tmp_path / "text.txt", out=tmp_path / "run", level="word", min_count=2, order=2
    )
    model = charlm.load(made.model)
    path = Path(model.info["path"])
    found = word_frequencies.of_training(path, model.tokenizer, model.info["training"])
    assert found.counts == {"a": 6}
    assert found.total == 8
