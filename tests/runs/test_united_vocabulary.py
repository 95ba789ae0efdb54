"""Word models of different vocabularies become models of the words of all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import charlm
from charlm.errors import CharlmError
from charlm.models import model_file
from charlm.models.spelling import speller_of
from charlm.runs.united_vocabulary import united
from charlm.text.word_tokenizer import WordTokenizer

ONE = "the cat sat on the mat\na cat ate a pear\n" * 20
OTHER = "the dog sat on the log\na dog ate an apple\n" * 20


@pytest.fixture
def models(tmp_path: Path) -> list[Path]:
    made = []
    for name, text in (("one", ONE), ("other", OTHER)):
        (tmp_path / f"{name}.txt").write_text(text)
        run = charlm.ngram(tmp_path / f"{name}.txt", level="word", order=3, out=tmp_path / name)
        made.append(run.model)
    return made


def test_known_words_keep_their_probability_and_others_are_spelled(models: list[Path]) -> None:
    parts = [model_file.read(path) for path in models]
    wide = united(parts, ["one", "other"])
    tokenizer = wide[0].tokenizer
    assert isinstance(tokenizer, WordTokenizer)
    assert wide[1].tokenizer.as_dict() == tokenizer.as_dict()
    words = {tokenizer.token(k) for k in range(tokenizer.vocab_size)}
    assert words == {*ONE.split(), *OTHER.split(), "</s>", "<UNK>"}
    for part, one in zip(parts, wide, strict=True):
        own, lm = model_file.build_causal(part), model_file.build_causal(one)
        before = own.predict(own.start(1))[0]
        after = lm.predict(lm.start(1))[0]
        assert np.exp(after.astype(np.float64)).sum() == pytest.approx(1, abs=1e-5)
        assert isinstance(part.tokenizer, WordTokenizer)
        for word in ("cat", "dog", "the"):
            (inner,), (id,) = part.tokenizer.encode(word), tokenizer.encode(word)
            expected = before[inner]
            if inner == part.tokenizer.unk:
                expected += speller_of(part.tokenizer).logprob([word])
            assert after[id] == pytest.approx(expected, abs=1e-4)


def test_a_model_that_has_all_words_stays_as_it_is(models: list[Path]) -> None:
    part = model_file.read(models[0])
    assert united([part, part], ["a", "b"]) == [part, part]


def test_mixing(models: list[Path], tmp_path: Path) -> None:
    dev = tmp_path / "dev.txt"
    dev.write_text("the cat sat on the log\na dog ate a pear\nan apple sat on the mat\n" * 3)
    done = charlm.mix(models, dev, out=tmp_path / "mixed")
    mixed = charlm.load(done.model)
    scores = [charlm.load(path).score("the dog ate a pear").measures for path in models]
    both = mixed.score("the dog ate a pear").measures
    assert both.oov == 0 < min(one.oov for one in scores)
    assert both.logprob_spelled > max(one.logprob_spelled for one in scores)


def test_limited_to_a_list(models: list[Path], tmp_path: Path) -> None:
    dev, words = tmp_path / "dev.txt", tmp_path / "words.txt"
    dev.write_text("the cat sat on the log\na dog ate a pear\nan apple sat on the mat\n" * 3)
    words.write_text("the a\ncat\ndog ate zebra\n")
    done = charlm.mix(models, dev, out=tmp_path / "mixed", limit_vocab=words)
    mixed = charlm.load(done.model)
    tokenizer = mixed.tokenizer
    assert isinstance(tokenizer, WordTokenizer)
    known = {tokenizer.token(k) for k in range(2, tokenizer.vocab_size)}
    assert known == {"the", "a", "cat", "dog", "ate"}
    score = mixed.score("the cat sat on zebra").measures
    assert score.oov == 3
    assert -np.inf < score.logprob_spelled < score.logprob
    part = model_file.read(models[0])
    (limited,) = united([part], ["one"], known)
    own, lm = model_file.build_causal(part), model_file.build_causal(limited)
    p_V, q_V = np.exp(own.predict(own.start(1))[0]), np.exp(lm.predict(lm.start(1))[0])
    (cat,) = tokenizer.encode("cat")
    assert q_V[cat] == pytest.approx(p_V[part.tokenizer.encode("cat")[0]], rel=1e-5)
    left_out = part.tokenizer.encode("sat on mat pear")
    unknown = p_V[part.tokenizer.unk] + p_V[left_out].sum()
    assert q_V[tokenizer.unk] == pytest.approx(unknown, rel=1e-5)


def test_lists_that_do_not_fit(models: list[Path], tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("zebra\n")
    with pytest.raises(CharlmError, match="no word that a model knows"):
        charlm.mix(models, tmp_path / "one.txt", out=tmp_path / "m", limit_vocab=words)
    chars = [
        charlm.ngram(tmp_path / "one.txt", order=n, out=tmp_path / f"c{n}").model for n in (2, 3)
    ]
    with pytest.raises(CharlmError, match="for models of words"):
        charlm.mix(chars, tmp_path / "one.txt", out=tmp_path / "m", limit_vocab=words)


def test_what_cannot_be_united(models: list[Path], tmp_path: Path) -> None:
    chars = charlm.ngram(tmp_path / "one.txt", order=3, out=tmp_path / "chars").model
    folded = charlm.ngram(
        tmp_path / "one.txt", level="word", split="unicode", order=2, out=tmp_path / "folded"
    ).model
    for other, message in ((chars, "of chars, and cannot"), (folded, "split words differently")):
        with pytest.raises(CharlmError, match=message):
            united([model_file.read(path) for path in (models[0], other)], ["one", "other"])
