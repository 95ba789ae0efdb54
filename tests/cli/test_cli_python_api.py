"""`charlm.train`, `ngram`, `mix` and `report` from Python: what they show, and what they give."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from cli_support import on_terminal, write_model
from trainings import Recorder

import charlm
from charlm.errors import CharlmError

pytestmark = pytest.mark.train


SMALL: dict[str, Any] = {"hidden": 8, "layers": 1, "batch_size": 4, "bptt": 16, "threads": 1}
TEXT = "the cat sees a dog, and a dog sees the cat\n" * 150


@pytest.fixture(autouse=True)
def text(elsewhere: Path) -> Path:
    Path("text.txt").write_text(TEXT)
    return Path("text.txt")


class Notebook:
    """Stands in for IPython in a kernel: keeps every picture that is displayed."""

    def __init__(self) -> None:
        self.areas: list[list[dict[str, str]]] = []

    def display(self, bundle: dict[str, str], *, raw: bool, display_id: bool) -> Any:
        assert raw
        assert display_id
        pictures = [bundle]
        self.areas.append(pictures)
        return SimpleNamespace(update=lambda bundle, raw: pictures.append(bundle))

    def install(self, patch: pytest.MonkeyPatch) -> None:
        ipython, display = ModuleType("IPython"), ModuleType("IPython.display")
        vars(ipython)["get_ipython"] = lambda: SimpleNamespace(kernel=object())
        vars(display)["display"] = self.display
        patch.setitem(sys.modules, "IPython", ipython)
        patch.setitem(sys.modules, "IPython.display", display)

    @property
    def shown(self) -> str:
        return "\n".join(one["text/plain"] for area in self.areas for one in area)


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    made = Notebook()
    made.install(monkeypatch)
    return made


def work(text: Path, **how: Any) -> None:
    """Everything that shows how it goes."""
    done = charlm.train(text, steps=4, **SMALL, **how)
    counted = charlm.ngram(text, order=2, **how)
    charlm.mix([done.run, counted.run], text, **how)
    charlm.report(done.run, **how)


def test_nothing_is_said_where_nobody_looks(text: Path, capfd: pytest.CaptureFixture[str]) -> None:
    work(text)
    assert capfd.readouterr() == ("", "")


def test_runs_are_loaded(text: Path) -> None:
    done = charlm.train(text, steps=4, **SMALL)
    assert done.steps == 4
    assert "mixture of LSTM 1 × 8 and 10-gram model" in repr(done.load())
    again = charlm.train(resume=done.run)
    assert again.best == done.best
    page = charlm.report(done.run, out="page.html")
    assert page.path == Path("page.html")
    assert page.findings.steps == 4
    with pytest.raises(CharlmError, match="no text given"):
        charlm.train()
    with pytest.raises(CharlmError, match="leave out `corpus`"):
        charlm.train(text, resume=done.run)
    with pytest.raises(CharlmError, match="leave out `lr`"):
        charlm.train(resume=done.run, lr=0.1)


def test_events_replace_the_display(text: Path, notebook: Notebook) -> None:
    heard = Recorder()
    work(text, events=heard)
    assert len(heard.losses) == 4
    assert heard.plan is not None
    assert {"estimate", "report"} < heard.stages.keys()
    assert notebook.areas == []
    work(text, progress=False)
    assert notebook.areas == []


def test_a_notebook_shows_how_it_goes(
    text: Path, notebook: Notebook, capfd: pytest.CaptureFixture[str]
) -> None:
    work(text)
    assert len(notebook.areas) == 4  # each is written over and over
    for part in ("LSTM 1 × 8", "perplexity", "counting …", "mixing …", "report … 100%"):
        assert part in notebook.shown
    assert all("<pre" in one["text/html"] for area in notebook.areas for one in area)
    said = capfd.readouterr()
    assert said.out == ""
    assert all(line.startswith("warning: ") for line in said.err.splitlines())  # of a small text


def test_a_terminal_shows_how_it_goes(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model.safetensors")
    program = "import charlm; charlm.train('text.txt', steps={}, hidden=8{})"
    shown = on_terminal(model, program=program.format(60, ""), COLUMNS="100")
    assert "LSTM 1 × 8" in shown
    assert "loss" in shown
    assert on_terminal(model, program=program.format(4, ", progress=False")) == ""
