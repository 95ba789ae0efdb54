"""Which model is meant."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from toys import small_model_file

from charlm.errors import CharlmError
from charlm.models.model_file import write
from charlm.runs import locate
from charlm.runs.locate import mark_latest, resolve


@pytest.fixture
def place(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory with two runs in it."""
    monkeypatch.delenv(locate.ENVIRONMENT, raising=False)
    for name in ("one", "two"):
        (elsewhere / "runs" / name).mkdir(parents=True)
        write(elsewhere / "runs" / name / "model.safetensors", small_model_file())
    return elsewhere


def test_resolve_prefers_the_nearer_wish(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CharlmError, match=r"no runs/latest here.*charlm train"):
        resolve()
    mark_latest(Path("runs/one"), pytest.fail)
    assert resolve().samefile("runs/one/model.safetensors")
    mark_latest(Path("runs/two"), pytest.fail)
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
        mark_latest(Path("runs") / name, pytest.fail)
        assert resolve().samefile(f"runs/{name}/model.safetensors")
    assert Path("runs/latest").read_text() == "two\n"


def test_what_a_killed_process_left_of_latest_is_swept(place: Path) -> None:
    left = [Path(f"runs/.latest.{n}.tmp") for n in (1, 2)]
    for one in left:
        one.symlink_to("gone")
    os.utime(left[0], (time.time() - 90_000,) * 2, follow_symlinks=False)
    mark_latest(Path("runs/one"), pytest.fail)
    assert [os.path.lexists(one) for one in left] == [False, True]


def test_resolve_says_what_is_missing(place: Path) -> None:
    (place / "runs" / "empty").mkdir()
    with pytest.raises(CharlmError, match=r"runs/empty has no model\.safetensors"):
        resolve("runs/empty")
    with pytest.raises(CharlmError, match="no model runs/three"):
        resolve("runs/three")
    mark_latest(Path("runs/three"), pytest.fail)
    with pytest.raises(CharlmError, match="runs/latest"):
        resolve()
