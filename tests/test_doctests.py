"""The examples in docstrings are run, on a small model, and print what they say."""

from __future__ import annotations

import doctest
import importlib
from collections.abc import Iterator
from pathlib import Path

import demo_model
import pytest
from wings import MODULES

import charlm

# What an example may leave out: charlm is imported, and a model is loaded from runs/latest.
OPTIONS = doctest.ELLIPSIS | doctest.FAIL_FAST


def examples() -> Iterator[doctest.DocTest]:
    """The docstrings of charlm that hold examples."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in MODULES:
        if ">>>" in MODULES[name].read_text("utf-8"):
            module = importlib.import_module(f"charlm.{name}".rstrip("."))
            yield from (found for found in finder.find(module) if found.examples)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("examples") / "runs"
    demo_model.make(directory)
    return directory


@pytest.mark.parametrize("example", list(examples()), ids=lambda example: example.name)
def test_an_example(example: doctest.DocTest, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(runs.parent)
    monkeypatch.delenv("CHARLM_MODEL", raising=False)
    model = charlm.load("runs/latest")
    example.globs |= {
        "charlm": charlm,
        "model": model,
        "lm": model.lm,
        "tokenizer": model.tokenizer,
    }
    said: list[str] = []
    doctest.DocTestRunner(optionflags=OPTIONS).run(example, out=said.append)
    assert not said, "".join(said)


def test_no_example_is_left_out() -> None:
    skipped = {name for name, path in MODULES.items() if "+SKIP" in path.read_text("utf-8")}
    assert skipped <= {"", "model"}  # still to be written anew
