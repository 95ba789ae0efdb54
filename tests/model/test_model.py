"""What `charlm.load` returns."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cli_support import write_model
from toys import TEXTS, small_model_file

import charlm
from charlm.errors import CharlmError
from charlm.measures import Measures
from charlm.models.model_file import write
from charlm.tasks.nbest import Hypothesis, Utterance
from charlm.tasks.sample import Sample
from charlm.tasks.score import SentenceScore


@pytest.fixture
def run(tmp_path: Path) -> Path:
    write(tmp_path / "model.safetensors", small_model_file())
    return tmp_path


def test_model(run: Path) -> None:
    model = charlm.load(run)
    assert isinstance(model, charlm.Model)
    one = model.score("abc de")
    assert isinstance(one, SentenceScore)
    assert model.score(["abc de", "a"], words=True)[0].logprob == pytest.approx(one.logprob)
    (drawn,) = model.sample(prompt="ab", seed=1, max_tokens=5)
    assert isinstance(drawn, Sample)
    assert drawn.full_text.startswith("ab")
    measures = model.evaluate("abc de\n")
    assert isinstance(measures, Measures)
    assert measures.logprob == pytest.approx(one.logprob, abs=1e-4)
    assert model.evaluate(["abc", " de"], context="sentence").chars == 7
    assert model.tokenizer.level == "char"


def test_uses_of_a_model(run: Path, tmp_path: Path) -> None:
    model = charlm.load(run)
    tokens, entropy = model.next_tokens("ab", top_k=3)
    assert len(tokens) == 3
    assert entropy > 0
    assert len(model.complete("ab", num=2, max_tokens=5)) == 2
    words = model.word_scores("abc de")
    assert [one.word for one in words] == ["abc", "de", "</s>"]
    assert sum(one.logprob for one in words) == pytest.approx(model.score("abc de").logprob)
    scored = model.pairs([("abc", "cba"), ("de", "ed")], norm="token")
    assert scored.accuracy in (0, 0.5, 1)
    table = tmp_path / "pairs.tsv"
    table.write_text("abc\tcba\nde\ted\n")
    assert model.pairs(table, norm="token") == scored
    lists = [Utterance("u", (Hypothesis("abc", -1.0), Hypothesis("de", -2.0)))]
    found = model.rescore(lists, {"u": "de"}, alpha=0)
    assert found.best == {"u": "abc"}
    assert found.rates is not None
    assert (found.rates.before.rate, found.rates.oracle.rate) == (1, 0)
    nbest, refs = tmp_path / "nbest.tsv", tmp_path / "refs.txt"
    nbest.write_text("u\tabc\t-1\nu\tde\t-2\n")
    refs.write_text("u de\n")
    assert model.rescore(nbest, refs, alpha=0).rates == found.rates
    tuned = model.rescore(nbest, refs, dev=nbest, dev_references=refs)
    assert tuned.dev == tuned.rates
    with pytest.raises(CharlmError, match="`dev` goes with `dev_references`"):
        model.rescore(nbest, dev=nbest)
    assert model.compare(model, ["abc", "de"]).difference == 0
    one_text = charlm.classify(["abc"], {"a": model, "b": run}, priors={"a": 0.9}).texts[0]
    assert one_text.label == "a"
    assert one_text.posterior["a"] == pytest.approx(0.9)
    dev = tmp_path / "dev.tsv"
    dev.write_text("a\tabc\nb\tde\n")
    assert charlm.classify(["abc"], {"a": model, "b": run}, calibrate=dev).temperature > 0
    assert model.adapted("cache").score("abc").logprob < 0
    with pytest.raises(CharlmError, match="choose dynamic"):
        model.adapted("quickly")
    with pytest.raises(CharlmError, match="unknown device"):
        charlm.load(run, device="abacus")


def test_a_model_tells_what_it_is(run: Path, tmp_path: Path) -> None:
    assert re.fullmatch(
        rf"<charlm.Model {re.escape(str(run))}: LSTM 1 × \d+, [\d,]+ parameters, char level, "
        r"\d+ tokens(; .* bits/char on validation text)?>",
        repr(charlm.load(run)),
    )
    toy = charlm.load(write_model(tmp_path / "toy.safetensors", level="word"))
    assert "toy.safetensors: LSTM 1 × 12" in repr(toy)
    assert repr(toy).endswith("word level, 14 tokens; 2.50 bits/char on validation text>")
    assert repr(charlm.Model(toy.lm, toy.tokenizer, {})) == "<charlm.Model made in memory>"


def test_n_grams_and_mixtures(elsewhere: Path) -> None:
    text = Path("text.txt")
    text.write_text(TEXTS["word"] * 40)
    done = charlm.ngram(text, order=3, level="word", min_count=1)
    model = done.load()
    assert repr(model).startswith("<charlm.Model runs/text: 3-gram model, ")
    assert model.score("the cat sat").perplexity < 20
    other = charlm.ngram(text, order=1, level="word")
    mixed = charlm.mix([done.run, other.run], dev=text)
    assert "mixture of 3-gram model and 1-gram model" in repr(mixed.load())
    assert mixed.best.perplexity == pytest.approx(
        mixed.load().info["training"]["best"]["perplexity"]
    )


def test_info(run: Path) -> None:
    info = charlm.load(run).info
    assert list(info) == [
        "path",
        "bytes",
        "format",
        "family",
        "config",
        "parameters",
        "level",
        "vocab_size",
        "lossless",
        "training",
    ]
    assert info["parameters"] == sum(t.size for t in small_model_file().tensors.values())
    assert info["path"] == str(run / "model.safetensors")
    assert info["training"]["corpus"] == "tale.txt"
