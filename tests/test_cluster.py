"""Scores by Ray's workers: each sentence has one, and a worker that is killed does not matter."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toys import small_model_file

import charlm
from charlm import cluster
from charlm.errors import CharlmError
from charlm.models.model_file import write

SENTENCES = [f"{'ab' * (k % 9)}c{'ba' * (k % 5)}" for k in range(600)]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    write(tmp_path / "model.safetensors", small_model_file())
    return tmp_path / "model.safetensors"


def test_a_batch_gets_the_scores_of_its_sentences(model: Path) -> None:
    batch = {"id": np.arange(3), "text": np.array(["abc", "", "ba"], dtype=object)}
    found = cluster.Scorer(model, prefix="lm_")(batch)
    own = charlm.load(model).score(["abc", "", "ba"])
    assert found["id"].tolist() == [0, 1, 2]
    assert found["lm_logprob"].tolist() == [one.logprob for one in own]
    assert found["lm_tokens"].tolist() == [4, 1, 3]
    nothing = cluster.Scorer(model, prefix="lm_")({"id": [], "text": []})
    assert nothing.keys() == found.keys()


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ({"line": ["a"]}, "no column 'text'"),
        ({"text": ["a", None]}, "'text' holds None, which is no sentence"),
        ({"text": ["a\nb"]}, "which is no sentence"),
        ({"text": ["a"], "oov": ["x"], "tokens": ["y"]}, "a column oov, tokens already"),
    ],
)
def test_what_cannot_be_scored_is_an_error(
    model: Path, batch: Mapping[str, list[Any]], message: str
) -> None:
    arrays = {name: np.array(values, dtype=object) for name, values in batch.items()}
    with pytest.raises(CharlmError, match=message):
        cluster.Scorer(model)(arrays)


def test_rows_that_are_no_sentences_can_have_nan(model: Path) -> None:
    scorer = cluster.Scorer(model, invalid="nan")
    found = scorer({"text": [None, "abc", "a\nb", 3]})
    assert np.isnan(found["logprob"]).tolist() == [True, False, True, True]
    assert found["tokens"].dtype == scorer({"text": ["abc"]})["tokens"].dtype == np.float64
    assert np.isnan(scorer({"text": [None]})["oov"]).all()
    with pytest.raises(CharlmError, match="unknown `invalid`"):
        cluster.Scorer(model, invalid="x")


def test_what_is_missing_is_said_before_anything_runs(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    with pytest.raises(CharlmError, match="there is no model"):
        cluster.score(None, tmp_path / "none")
    with pytest.raises(CharlmError, match="at least 1"):
        cluster.score(None, tmp_path, workers=0)


@pytest.fixture
def two_workers() -> Iterator[None]:
    ray = pytest.importorskip("ray", reason="Ray is not installed")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        yield
    finally:
        ray.shutdown()


@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_killed_worker_is_replaced_and_every_sentence_scored_once(
    two_workers: None, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    class Mortal(cluster.Scorer):
        """The first worker to come to a third batch is killed in the middle of it."""

        def __init__(self, *args: Any, **keywords: Any) -> None:
            super().__init__(*args, **keywords)
            (tmp_path / f"loaded-{os.getpid()}").touch()
            self.batches = 0

        def __call__(self, batch: Mapping[str, Any]) -> cluster.Batch:
            self.batches += 1
            if self.batches == 3:
                try:
                    (tmp_path / "killed").touch(exist_ok=False)
                    os.kill(os.getpid(), signal.SIGKILL)
                except FileExistsError:
                    pass
            return super().__call__(batch)

    monkeypatch.setattr(cluster, "Scorer", Mortal)
    rows = [{"id": k, "text": text} for k, text in enumerate(SENTENCES)]
    dataset = ray.data.from_items(rows, override_num_blocks=12)
    found = cluster.score(dataset, model, workers=2, batch_size=16).take_all()
    assert (tmp_path / "killed").exists()
    assert len(list(tmp_path.glob("loaded-*"))) == 3  # once a worker, and once for the new one
    assert sorted(row["id"] for row in found) == list(range(len(SENTENCES)))
    scores = charlm.load(model).score(SENTENCES)
    for row in found:
        assert row["text"] == SENTENCES[row["id"]]
        assert row["logprob"] == pytest.approx(scores[row["id"]].logprob, rel=1e-6)
