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
from toys import small_model_file

import charlm
from charlm.cli.app import app
from charlm.errors import CharlmError
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


@pytest.fixture
def run(tmp_path: Path) -> Path:
    write(tmp_path / "model.safetensors", small_model_file())
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
    "regions": "Model.regions",
    "rescore": "Model.rescore",
    "compare": "Model.compare",
    "classify": "classify",
    "ngram": "ngram",
    "mix": "mix",
    "info": "Model.info",
    "report": "report",
    "export": "Model.export",
    "card": "Model.card",
    "compress": "Model.compress",
    "decompress": "Model.decompress",
}
# Options of the command line that are something else in Python: files are read, results printed.
ELSEWHERE = {
    "file",
    "files",
    "sentences",
    "json",
    "tsv",
    "csv",
    "parquet",
    "quiet",
    "verbose",
    "encoding",
    "errors",
    "field",
    "column",
    "model",  # the object itself
    "device",  # of load
    "adapt",  # Model.adapted
    "shard",  # charlm.cluster, or a slice of a list
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
    ("ngram", "tables"): "",  # charlm.kenlm.build_binary
    ("fill", "text"): "text",
    ("classify", "prior"): "priors",
    ("fill", "compare"): "",  # fill by another model
    ("rescore", "nbest"): "utterances",
    ("rescore", "ref"): "references",
    ("rescore", "out"): "",  # of the list that is printed
    ("rescore", "force"): "",
    ("score", "force"): "",  # of a table
    ("score", "out"): "",  # of shards
    ("eval", "out"): "",
    ("pairs", "out"): "",
    ("score", "frequencies"): "",  # Model.word_table
    ("rescore", "best"): "",  # Rescored.best
    ("rescore", "lm_out"): "",  # Ranked.lm
    ("rescore", "dev_scores"): "",
    ("rescore", "dev_lm_scores"): "",
    ("pairs", "items"): "",  # PairScores.pairs
    ("pairs", "force"): "",
    ("regions", "items"): "",  # SuiteScores.rows
    ("regions", "force"): "",
    ("card", "out"): "",  # of the card that is printed
    ("card", "force"): "",
    ("compare", "pairs"): "",  # Model.compare_pairs
    ("compare", "by"): "",
    ("compare", "text"): "",
    ("compare", "skip_oov"): "",
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
    assert set(verbs()) == {*VERBS, "serve", "watch"}  # for other programs, and for people
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
