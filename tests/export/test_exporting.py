"""Exported files: which part is written, where, and what is not replaced."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toys import pair_of, small_model_file, tokenizer_of

import charlm
from charlm.errors import CharlmError
from charlm.export.exporting import FORMATS, export
from charlm.models import model_file, model_parts
from charlm.models.kneser_ney import estimate
from charlm.models.mixture import MixtureLM
from charlm.models.model_file import ModelFile

ROOT = Path(__file__).parents[2]
PAGE, README = ROOT / "docs" / "export.md", ROOT / "README.md"


def ngram(context_is_a_line: bool = True) -> ModelFile:
    tokenizer = tokenizer_of("word")
    ids = tokenizer.encode("the cat sat\nthe mat sat\n" * 9)
    lm = estimate(ids, tokenizer.vocab_size, tokenizer.eos, 2, lines=context_is_a_line)
    return ModelFile("ngram", lm.config(), tokenizer, lm.tensors())


@pytest.fixture
def mixed(elsewhere: Path) -> Path:
    """A mixture of a network and a bigram model in a run directory."""
    lm, tokenizer = pair_of("word")
    network = ModelFile("recurrent", lm.config.as_dict(), tokenizer, dict(lm.tensors))
    parts = [network, ngram()]
    both = MixtureLM([model_file.build_causal(one) for one in parts], np.array([[0.5, 0.5]]))
    Path("runs/tale").mkdir(parents=True)
    path = Path("runs/tale/model.safetensors")
    model_file.write(path, model_parts.combination(both, parts, {}))
    return path


def test_of_a_mixture_the_part_is_written(mixed: Path) -> None:
    done = export(str(mixed.parent), to="safetensors")
    assert done.files == (Path("tale.safetensors"), Path("tale.tokenizer.json"))
    assert (done.model, done.is_part) == ("GRU 1 × 7", True)
    about = json.loads(Path("tale.tokenizer.json").read_text("utf-8"))
    assert about["tokens"][:2] == ["</s>", "<UNK>"]
    assert about["tokens"][2:] == tokenizer_of("word").as_dict()["words"]
    assert about["tokenizer"]["split"] == "whitespace"
    table = export(str(mixed.parent), to="arpa")
    assert table.files == (Path("tale.arpa"),)
    given = charlm.load("tale.arpa").score("the cat sat").logprob
    part = model_parts.first_of(model_file.read(mixed), "ngram")
    assert part is not None
    model_file.write("part.safetensors", part)
    assert given == pytest.approx(charlm.load("part.safetensors").score("the cat sat").logprob)


def test_from_python(elsewhere: Path) -> None:
    model_file.write("tale.safetensors", small_model_file())
    model = charlm.load("tale.safetensors")
    assert model.export("safetensors", out="a.safetensors") == (
        Path("a.safetensors"),
        Path("a.tokenizer.json"),
    )
    assert "\n# tale\n" in model.card()
    assert "\n# story\n" in model.card("story", language="en")
    bare = charlm.Model(model.lm, model.tokenizer, {})
    for use in (bare.card, partial(bare.export, "onnx")):
        with pytest.raises(CharlmError, match="made in memory"):
            use()


def test_files_of_others_stay(mixed: Path) -> None:
    pytest.importorskip("onnx")
    for to, how in FORMATS.items():
        target = Path(f"tale{how.suffix}")
        target.write_text("my own")
        with pytest.raises(CharlmError, match="not a file that this command writes"):
            export(str(mixed), to=to)
        assert target.read_text() == "my own"
        export(str(mixed), to=to, force=True)
        before = target.read_bytes()
        export(str(mixed), to=to)
        assert target.read_bytes() == before
    Path("tale.tokenizer.json").write_text("{}")
    with pytest.raises(CharlmError, match=r"tale\.tokenizer\.json exists"):
        export(str(mixed), to="onnx")
    with pytest.raises(CharlmError, match="is one of the files to read"):
        export(str(mixed), to="safetensors", out=mixed, force=True)


def test_what_cannot_be_written(elsewhere: Path) -> None:
    model_file.write("five.safetensors", ngram())
    with pytest.raises(CharlmError, match="has no recurrent network"):
        export("five.safetensors", to="onnx")
    model_file.write("net.safetensors", small_model_file())
    with pytest.raises(CharlmError, match=r"has no n-gram model.*as arpa"):
        export("net.safetensors", to="arpa")
    model_file.write("stream.safetensors", ngram(False))
    with pytest.raises(CharlmError, match="contexts within sentences"):
        export("stream.safetensors", to="arpa")
    with pytest.raises(CharlmError, match="no format 'pickle'"):
        export("net.safetensors", to="pickle")
    assert sorted(path.suffix for path in Path().iterdir()) == [".safetensors"] * 3


@pytest.mark.parametrize("options", [{}, {"learned_start": True, "cell": "gru", "layers": 2}])
def test_the_example_of_the_page_needs_no_charlm(elsewhere: Path, options: dict[str, Any]) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    (example,) = re.findall(
        r"^```python\n(import json\n.*?)^```", PAGE.read_text("utf-8"), re.M | re.S
    )
    assert "charlm" not in example
    assert len(example.splitlines()) <= 20
    model_file.write("tale.safetensors", small_model_file(**options))
    export("tale.safetensors", to="onnx")
    command = [sys.executable, "-c", example, "tale", "bad cat"]
    shown = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert float(shown) == pytest.approx(charlm.load("tale.safetensors").score("bad cat").logprob)


@pytest.mark.train
def test_the_lines_for_torch_run(elsewhere: Path) -> None:
    (example,) = re.findall(
        r"^```python\n(import torch.*?)^```", README.read_text("utf-8"), re.M | re.S
    )
    assert len(example.replace("\n\n", "\n").splitlines()) == 5
    model = small_model_file()
    model_file.write("demo.safetensors", model)
    export("demo.safetensors", to="safetensors", out="demo.safetensors.new")
    Path("demo.safetensors.new").rename("demo.safetensors")
    names: dict[str, Any] = {}
    exec(example, names)
    for name, weight in names["lstm"].named_parameters():
        expected = model.tensors[f"rnn.0.{name.removesuffix('_l0')}"]
        np.testing.assert_array_equal(weight.detach().numpy(), expected)
