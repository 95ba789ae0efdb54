"""The examples in docstrings are run, on a small model, and print what they say.

An example may use `charlm`, `model` (that of runs/latest), its `lm` and its `tokenizer`.
"""

from __future__ import annotations

import doctest
import importlib
from collections.abc import Iterator
from pathlib import Path

import demo_model
import pytest
from wings import MODULES

import charlm
from charlm.runs.locate import mark_latest


def examples() -> Iterator[doctest.DocTest]:
    """The docstrings of charlm that hold examples."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in MODULES:
        if ">>>" in MODULES[name].read_text("utf-8"):
            module = importlib.import_module(f"charlm.{name}".rstrip("."))
            yield from (found for found in finder.find(module) if found.examples)


@pytest.fixture(scope="module", autouse=True)
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A working directory in which corpus.txt is a text and runs/latest a model of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("examples"))
        patch.delenv("CHARLM_MODEL", raising=False)
        text = demo_model.TEXT.read_text("utf-8")
        Path("corpus.txt").write_text(text[:20_000], "utf-8")
        demo_model.make()
        yield


@pytest.mark.parametrize("example", list(examples()), ids=lambda example: example.name)
def test_an_example(example: doctest.DocTest) -> None:
    mark_latest(Path("runs/demo"), pytest.fail)  # an example that trains leaves another one
    model = charlm.load("runs/latest")
    known = {"charlm": charlm, "model": model, "lm": model.lm, "tokenizer": model.tokenizer}
    example.globs |= known
    said: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, out=said.append)
    assert not said, "".join(said)


def test_no_example_is_left_out() -> None:
    skipped = {name for name, path in MODULES.items() if "+SKIP" in path.read_text("utf-8")}
    assert skipped == set()
