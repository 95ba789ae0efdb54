"""Files compressed by a loaded model."""

from __future__ import annotations

from pathlib import Path

import pytest
from toys import small_model_file

import charlm
from charlm.errors import CharlmError
from charlm.models import model_file

pytest.importorskip("constriction", reason="constriction is not installed")


@pytest.fixture
def model(elsewhere: Path) -> charlm.Model:
    model_file.write("model.safetensors", small_model_file())
    return charlm.load("model.safetensors")


def test_there_and_back(model: charlm.Model) -> None:
    Path("tale.txt").write_bytes(b"abc de, xyz\n" * 9)
    assert model.compress("tale.txt", adapt=True, blocks=3) == Path("tale.txt.charlm")
    assert model.decompress("tale.txt.charlm", "back.txt", batch=2) == Path("back.txt")
    assert Path("back.txt").read_bytes() == b"abc de, xyz\n" * 9
    Path("tale.txt").unlink()
    assert model.decompress("tale.txt.charlm") == Path("tale.txt")
    with pytest.raises(CharlmError, match="exists"):
        model.decompress("tale.txt.charlm")
    with pytest.raises(CharlmError, match="one of the files to read"):
        model.compress("tale.txt", "model.safetensors", force=True)
    Path("mine.txt").write_text("mine")
    with pytest.raises(CharlmError, match="not a file that this command writes"):
        model.compress("tale.txt", "mine.txt")


def test_a_model_made_in_memory_has_no_name_to_be_known_by(model: charlm.Model) -> None:
    bare = charlm.Model(model.lm, model.tokenizer, {})
    with pytest.raises(CharlmError, match="made in memory"):
        bare.compress("tale.txt")
