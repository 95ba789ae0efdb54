"""Which model is meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from toys import random_tensors, tokenizer_of

from charlm.config import NetworkConfig
from charlm.errors import CharlmError
from charlm.models.model_file import ModelFile, write
from charlm.runs import locate
from charlm.runs.locate import mark_latest, resolve


def small(level: str = "char", **options: Any) -> ModelFile:
    tokenizer = tokenizer_of(level)
    config = NetworkConfig(tokenizer.vocab_size, embed=3, hidden=4, **options)
    training = {"corpus": "tale.txt", "sha256": "0" * 64, "best": {"nats_per_char": 1.25}}
    return ModelFile("recurrent", config.as_dict(), tokenizer, random_tensors(config), training)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory with two runs in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(locate.ENVIRONMENT, raising=False)
    for name in ("one", "two"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        write(tmp_path / "runs" / name / "model.safetensors", small())
    return tmp_path


def test_resolve_prefers_the_nearer_wish(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CharlmError, match=r"no runs/latest here.*charlm train"):
        resolve()
    mark_latest(Path("runs/one"))
    assert resolve().samefile("runs/one/model.safetensors")
    mark_latest(Path("runs/two"))
    assert resolve().samefile("runs/two/model.safetensors")
    assert Path("runs/latest").readlink() == Path("two")
    monkeypatch.setenv(locate.ENVIRONMENT, "runs/one")
    assert resolve().samefile("runs/one/model.safetensors")
    assert resolve("runs/two").samefile("runs/two/model.safetensors")
    assert resolve(Path("runs/two/model.safetensors")).samefile("runs/two/model.safetensors")
    assert {p.name for p in Path("runs").iterdir()} == {"one", "two", "latest"}


def test_latest_may_be_a_text_file(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    for name in ("one", "two"):
        mark_latest(Path("runs") / name)
        assert resolve().samefile(f"runs/{name}/model.safetensors")
    assert Path("runs/latest").read_text() == "two\n"


def test_resolve_says_what_is_missing(place: Path) -> None:
    (place / "runs" / "empty").mkdir()
    with pytest.raises(CharlmError, match=r"runs/empty holds no model\.safetensors"):
        resolve("runs/empty")
    with pytest.raises(CharlmError, match="no model runs/three"):
        resolve("runs/three")
    mark_latest(Path("runs/three"))
    with pytest.raises(CharlmError, match="runs/latest"):
        resolve()
