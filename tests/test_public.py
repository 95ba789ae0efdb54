"""The names the package offers, and what it costs to import them."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path

import pytest
from cli_support import write_model
from test_model_file import small
from toys import TEXTS

import charlm
from charlm.cli.app import app
from charlm.errors import CharlmError
from charlm.measures import Measures
from charlm.models.model_file import write
from charlm.runs import mixture_run, ngram_run
from charlm.tasks import (
    compare,
    complete,
    evaluate,
    fill,
    next_tokens,
    pairs,
    rescore,
    sample,
    score,
)
from charlm.tasks.nbest import Hypothesis, Utterance
from charlm.tasks.sample import Sample
from charlm.tasks.score import SentenceScore


@pytest.fixture
def run(tmp_path: Path) -> Path:
    write(tmp_path / "model.safetensors", small())
    return tmp_path


@pytest.mark.train
def test_exported_names() -> None:
    assert charlm.__all__ == [
        "CharlmError",
        "Model",
        "__version__",
        "classify",
        "load",
        "mix",
        "ngram",
        "report",
        "train",
    ]
    assert dir(charlm) == sorted(charlm.__all__)
    assert charlm.CharlmError is CharlmError
    for name in charlm.__all__:
        assert getattr(charlm, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = charlm.nothing


# Verb → what does the same in Python.
VERBS = {
    "train": "train",
    "score": "Model.score",
    "sample": "Model.sample",
    "complete": "Model.complete",
    "next": "Model.next_tokens",
    "fill": "Model.fill",
    "eval": "Model.evaluate",
    "pairs": "Model.pairs",
    "rescore": "Model.rescore",
    "compare": "Model.compare",
    "classify": "classify",
    "ngram": "ngram",
    "mix": "mix",
    "info": "Model.info",
    "report": "report",
}
# Options of the command line that are something else in Python: files are read, results printed.
ELSEWHERE = {
    "file",
    "files",
    "sentences",
    "json",
    "tsv",
    "quiet",
    "verbose",
    "encoding",
    "errors",
    "model",  # the object itself
    "device",  # of load
    "adapt",  # Model.adapted
    "log_base",
    "worst",  # PairScores.worst
    "labelled",  # truth
    "no_allocator",
    "no_eos",
    "first",
    "second",
}
RENAMED = {
    ("complete", "prompt"): "prompt",
    ("ngram", "arpa"): "arpa_file",
    ("fill", "text"): "text",
    ("classify", "prior"): "priors",
    ("fill", "compare"): "",  # fill by another model
    ("rescore", "nbest"): "utterances",
    ("rescore", "ref"): "references",
    ("rescore", "out"): "",  # of the list that is printed
    ("rescore", "best"): "",  # Rescored.best
    ("compare", "lines"): "",  # Comparison.wins
}


def verbs() -> dict[str, list[str]]:
    """Every verb and its options and arguments."""
    return {
        str(verb.name): list(inspect.signature(verb.callback).parameters)
        for verb in app.registered_commands
        if verb.callback is not None
    }


def test_what_the_command_line_can_do_python_can_do() -> None:
    assert set(verbs()) == set(VERBS)
    for path in VERBS.values():
        found = attrgetter(path)(charlm)
        assert found.__doc__, path
        assert callable(found) or isinstance(found, property)


@pytest.mark.parametrize("verb", [name for name in VERBS if name != "info"])
def test_every_option_of_a_verb_is_told_of_in_python(verb: str) -> None:
    function = attrgetter(VERBS[verb])(charlm)
    told = f"{inspect.signature(function)}\n{function.__doc__}"
    for option in verbs()[verb]:
        name = RENAMED.get((verb, option), option)
        if name and name not in ELSEWHERE:
            assert re.search(rf"\b{name}\b", told), name


@pytest.mark.parametrize(
    ("method", "function"),
    [
        (charlm.Model.score, score.score),
        (charlm.Model.evaluate, evaluate.evaluate),
        (charlm.Model.compare, compare.compare),
        (charlm.Model.sample, sample.sample),
        (charlm.Model.complete, complete.complete),
        (charlm.Model.next_tokens, next_tokens.next_tokens),
        (charlm.Model.fill, fill.fill),
        (charlm.Model.pairs, pairs.score_pairs),
        (charlm.Model.rescore, rescore.rescore),
        (charlm.mix, mixture_run.mix_models),
        (charlm.ngram, ngram_run.count),
    ],
)
def test_options_have_the_defaults_of_what_is_called(
    method: Callable[..., object], function: Callable[..., object]
) -> None:
    """And the docstring tells every keyword, with its default."""
    own, inner = inspect.signature(method).parameters, inspect.signature(function).parameters
    doc = inspect.getdoc(method) or ""
    for name, parameter in inner.items():
        if parameter.kind is parameter.KEYWORD_ONLY:
            assert own[name].default == parameter.default, name
    for name, parameter in own.items():
        if parameter.kind is parameter.KEYWORD_ONLY:
            assert re.search(rf"\b{name}\b[^\n]* \(", doc), name


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
    assert (found.rates.before, found.rates.oracle) == (1, 0)
    nbest, refs = tmp_path / "nbest.tsv", tmp_path / "refs.txt"
    nbest.write_text("u\tabc\t-1\nu\tde\t-2\n")
    refs.write_text("u de\n")
    assert model.rescore(nbest, refs, alpha=0).rates == found.rates
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


def test_n_grams_and_mixtures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
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
    assert info["parameters"] == sum(t.size for t in small().tensors.values())
    assert info["path"] == str(run / "model.safetensors")
    assert info["training"]["corpus"] == "tale.txt"


def modules_after(code: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after running `code`."""
    report = "; import sys; print('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code + report], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_using_a_model_is_light(run: Path) -> None:
    heavy = {"torch", "rich", "typer", "sentencepiece", "matplotlib", "hypothesis"}
    code = (
        f"import charlm; m = charlm.load({str(run)!r}); m.score('abc', words=True); "
        "m.score('abc', tokens=True)._repr_html_(); repr(m); m.sample(max_tokens=3); "
        "m.evaluate('a'); m.next_tokens('a'); m.complete('a', max_tokens=3); "
        "m.pairs([('a', 'b')]); m.compare(m, ['a']); charlm.classify(['a'], {'x': m, 'y': m})"
    )
    assert not modules_after(code) & heavy
    assert "torch" not in modules_after("import charlm; charlm.ngram; charlm.mix; charlm.report")
    assert "numpy" not in modules_after("import charlm; charlm.__version__; charlm.CharlmError")
