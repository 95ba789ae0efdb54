"""From a model to the text that it was trained on."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import charlm
from charlm.errors import CharlmError
from charlm.runs.training_text import find, read

TEXT = "".join(f"the cat number {i % 9} sat — down and got up\n" for i in range(200))
OTHER = TEXT.replace("cat", "cut")  # of the same size, characters, words and bytes


@pytest.fixture
def place(elsewhere: Path) -> Path:
    Path("a.txt").write_text(TEXT, "utf-8")
    Path("b.txt").write_text(OTHER, "utf-8")
    return elsewhere


def found(path: str) -> str:
    """The text found, decoded."""
    model = charlm.load(path)
    info: Any = model.info
    return model.tokenizer.decode(find(Path(info["path"]), model.tokenizer, info["training"]))


@pytest.mark.parametrize("level", ["char", "word", "byte", "subword"])
def test_of_an_ngram_model(place: Path, level: str) -> None:
    size = 300 if level == "subword" else 0
    for name in ("a", "b"):
        out = f"runs/{name}"
        charlm.ngram(f"{name}.txt", level=level, out=out, order=3, vocab_size=size)
    Path("a.txt").unlink()  # its tokens are cached
    Path("runs/.cache/other").mkdir()
    Path("runs/.cache/other/corpus.json").write_text("[")
    if level == "byte":  # the same tokenizer and sizes: either may be meant, so both are
        assert found("runs/a") in (TEXT + OTHER, OTHER + TEXT)
    else:
        assert found("runs/a") == TEXT
    shutil.rmtree("runs/.cache")
    with pytest.raises(CharlmError, match=r"not lead to the text .*: name it with `training_text`"):
        found("runs/a")


def test_of_a_mixture(place: Path) -> None:
    for name, order in (("a", 2), ("b", 3)):
        charlm.ngram("a.txt", out=f"runs/{name}", order=order)
    charlm.mix(["runs/a", "runs/b"], "a.txt", out="runs/mixed")
    assert found("runs/mixed") == TEXT  # of both, once
    shutil.rmtree("runs/.cache")
    with pytest.raises(CharlmError, match="does not lead to the text"):
        found("runs/mixed")


@pytest.mark.train
def test_of_a_network(place: Path) -> None:
    charlm.train("a.txt", valid="b.txt", steps=2, hidden=4, embed=4, out="runs/a", plain=True)
    both = TEXT + OTHER
    assert found("runs/a") == both
    shutil.rmtree("runs/.cache")
    assert found("runs/a") == both  # read again
    assert not Path("runs/.cache").exists()
    Path("a.txt").write_text("another text\n")
    with pytest.raises(CharlmError, match=r"\(a.txt has changed since\): name it with"):
        found("runs/a")
    Path("a.txt").unlink()
    with pytest.raises(CharlmError, match=r"a.txt does not exist"):
        found("runs/a")


@pytest.mark.train
def test_of_a_model_that_was_trained_twice(place: Path) -> None:
    small: dict[str, Any] = {"steps": 2, "plain": True}
    charlm.train("a.txt", hidden=4, embed=4, out="runs/a", **small)
    charlm.train("b.txt", init_from="runs/a", out="runs/b", **small)
    assert set(found("runs/b").splitlines()) == set((OTHER + TEXT).splitlines())


def test_through_a_link_and_from_within(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    charlm.ngram("a.txt", out="elsewhere/a", order=2)
    assert Path("runs/latest").exists()
    assert found("runs/latest") == TEXT
    monkeypatch.chdir("elsewhere/a")
    assert found(".") == TEXT


@pytest.mark.train
def test_not_that_of_another_run(place: Path) -> None:
    charlm.train("a.txt", steps=2, hidden=4, embed=4, out="runs/a", plain=True)
    charlm.ngram("b.txt", out="elsewhere/b", order=2)
    shutil.copy("elsewhere/b/model.safetensors", "runs/a/other.safetensors")
    with pytest.raises(CharlmError, match="the run beside it is of another text"):
        found("runs/a/other.safetensors")


def test_of_a_file(place: Path) -> None:
    charlm.ngram("a.txt", out="runs/a", order=2)
    tokenizer = charlm.load("runs/a").tokenizer
    ids = read(["a.txt"], tokenizer)
    np.testing.assert_array_equal(ids, tokenizer.encode(TEXT))
    Path("c.txt").write_bytes("café".encode("latin-1"))
    assert tokenizer.decode(read(["c.txt"], tokenizer, encoding="latin-1"))[:3] == "ca<"
    with pytest.raises(CharlmError, match="utf-8"):
        read(["c.txt"], tokenizer)
    Path("d.txt").write_bytes(b"\xef\xbb\xbf")
    with pytest.raises(CharlmError, match="holds no text"):
        read(["d.txt"], tokenizer)
