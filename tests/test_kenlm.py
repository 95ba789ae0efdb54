"""KenLM's interface on charlm's models."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from cli_support import write_model

import charlm
import charlm.kenlm as kenlm
from charlm.config import TokenizerConfig
from charlm.errors import CharlmError
from charlm.models import arpa
from charlm.models.kneser_ney import estimate
from charlm.text.tokenizer import build

TEXT = "the cat sat on the mat\nthe dog sat\na cat ate the dog\n" * 3


@pytest.fixture(scope="module")
def trigram(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tokenizer = build(TokenizerConfig(level="word"), [TEXT])
    lm = estimate(tokenizer.encode(TEXT), tokenizer.vocab_size, tokenizer.eos, 3, lines=True)
    path = tmp_path_factory.mktemp("model") / "m.arpa"
    arpa.write(path, lm, tokenizer)
    return path


@pytest.fixture(params=["word", "char", "byte"])
def network(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write_model(tmp_path / "model.safetensors", request.param, TEXT)


def walk(model: kenlm.Model, words: list[str], *, bos: bool) -> list[float]:
    state, after = kenlm.State(), kenlm.State()
    (model.BeginSentenceWrite if bos else model.NullContextWrite)(state)
    found = []
    for word in words:
        found.append(model.BaseScore(state, word, after))
        state, after = after, state
    return found


@pytest.mark.parametrize("bos", [True, False])
def test_all_ways_agree(trigram: Path, network: Path, bos: bool) -> None:
    for path in (trigram, network):
        model = kenlm.LanguageModel(path)
        for text in ("the cat sat", "a zebra sat", "dog"):
            stepped = walk(model, [*text.split(), "</s>"], bos=bos)
            full = [p for p, _, _ in model.full_scores(text, bos=bos)]
            assert stepped == pytest.approx(full, abs=1e-5)
            assert model.score(text, bos=bos) == pytest.approx(sum(full))
            assert model.score(text, bos=bos, eos=False) == pytest.approx(sum(full[:-1]))


def test_scores_are_charlm_s(trigram: Path, network: Path) -> None:
    for path in (trigram, network):
        model, loaded = kenlm.Model(str(path)), charlm.load(path)
        own = loaded.score("the cat sat").measures
        assert model.score("the cat sat") == pytest.approx(own.log10prob, abs=1e-5)
        expected = 10 ** (-own.log10prob / 4)
        assert model.perplexity("the cat sat") == pytest.approx(expected, rel=1e-4)
        assert list(loaded.full_scores("the cat")) == list(model.full_scores("the cat"))


def test_lengths_and_unknown_words(trigram: Path) -> None:
    model = kenlm.Model(trigram)
    assert model.order == 3
    found = [(length, oov) for _, length, oov in model.full_scores("the cat zebra sat")]
    # <s> the · <s> the cat · zebra · sat · sat </s>
    assert found == [(2, False), (3, False), (1, True), (1, False), (2, False)]
    assert "cat" in model
    assert "zebra" not in model
    state, after = kenlm.State(), kenlm.State()
    model.BeginSentenceWrite(state)
    one = model.BaseFullScore(state, "zebra", after)
    assert (one.ngram_length, one.oov) == (1, True)
    assert one.log_prob == model.BaseScore(state, "zebra", kenlm.State())
    assert math.isfinite(one.log_prob)
    with pytest.raises(CharlmError, match="BeginSentenceWrite"):
        model.BaseScore(kenlm.State(), "the", after)
    assert model.BaseFullScore(state, "", after).oov
    assert model.score(b"the cat") == model.score("the cat")
    assert "</s>" in model
    assert "" not in model


def test_states_that_predict_alike_are_equal(trigram: Path, network: Path) -> None:
    for path, alike in ((trigram, True), (network, False)):
        model = kenlm.Model(path)
        ends = []
        for words in (
            ["the", "cat", "sat", "on", "the", "mat"],
            ["a", "dog", "ate", "on", "the", "mat"],
        ):
            state = kenlm.State()
            model.BeginSentenceWrite(state)
            for word in words:
                after = kenlm.State()
                model.BaseScore(state, word, after)
                state = after
            ends.append(state)
        assert (ends[0] == ends[1]) is alike
        assert (hash(ends[0]) == hash(ends[1])) is alike
        assert model.BaseFullScore(ends[0], "</s>", kenlm.State()).ngram_length >= 2


def test_a_network_has_no_order(network: Path) -> None:
    model = kenlm.Model(network)
    assert model.order == 0
    lengths = [length for _, length, _ in model.full_scores("the cat")]
    assert lengths[0] == 2  # the sentence's beginning, and the word
    assert lengths == sorted(lengths)


@pytest.fixture
def tables(trigram: Path, tmp_path: Path) -> Path:
    kenlm.build_binary(trigram, tmp_path / "m.bin")
    return tmp_path / "m.bin"


def test_hash_tables_give_the_same_scores(trigram: Path, tables: Path) -> None:
    model, fast = kenlm.Model(trigram), kenlm.Model(tables)
    texts = ["the cat sat", "a zebra sat", "", "dog dog", "the\tcat\nsat"]
    for bos in (True, False):
        for eos in (True, False):
            slow = [model.score(text, bos, eos) for text in texts]
            assert [fast.score(text, bos, eos) for text in texts] == pytest.approx(slow, abs=1e-5)
            for one in (model, fast):
                assert one.score_many(texts, bos, eos) == pytest.approx(slow, abs=1e-5)
    assert list(fast.full_scores("the cat")) == list(model.full_scores("the cat"))
    assert walk(fast, ["the", "cat"], bos=True) == pytest.approx(
        walk(model, ["the", "cat"], bos=True)
    )
    assert model.score_many([]) == []
    assert "hash tables" in repr(charlm.load(tables))


def test_only_ngram_models_have_tables(network: Path, tmp_path: Path) -> None:
    with pytest.raises(CharlmError, match="not an n-gram model"):
        kenlm.build_binary(network, tmp_path / "x")
    model = kenlm.Model(network)
    texts = ["the cat", "a dog"]
    assert model.score_many(texts) == [model.score(text) for text in texts]
