"""The names the package offers, and what it costs to import them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from test_model_file import small

import charlm
from charlm.errors import CharlmError
from charlm.measures import Measures
from charlm.models.model_file import write
from charlm.tasks.sample import Sample
from charlm.tasks.score import SentenceScore


@pytest.fixture
def run(tmp_path: Path) -> Path:
    write(tmp_path / "model.safetensors", small())
    return tmp_path


@pytest.mark.train
def test_exported_names() -> None:
    assert charlm.__all__ == ["CharlmError", "Model", "__version__", "load", "train"]
    assert dir(charlm) == sorted(charlm.__all__)
    assert charlm.CharlmError is CharlmError
    assert callable(charlm.train)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = charlm.nothing


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
        "m.sample(max_tokens=3); m.evaluate('a')"
    )
    assert not modules_after(code) & heavy
    assert "numpy" not in modules_after("import charlm; charlm.__version__; charlm.CharlmError")
