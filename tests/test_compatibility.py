"""Files that charlm 0.1 wrote: models, ARPA files and checkpoints still give what they gave.

tests/fixtures/0.1 holds models of every family and level with what 0.1 made of them, and two runs
stopped after 12 of 20 steps with the checkpoint that 0.1 came to when it resumed them.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import charlm
from charlm.system import tensor_file
from charlm.training.run import resume

OLD = Path(__file__).parent / "fixtures" / "0.1"
EXPECTED: dict[str, Any] = json.loads((OLD / "expected.json").read_text("utf-8"))
TEXT = OLD / "text.txt"


def agrees(now: Any, then: Any) -> None:
    """Every number that stands in `then` stands in `now`, to six digits."""
    if isinstance(then, dict):
        for key, value in then.items():
            agrees(now[key], value)
    elif isinstance(then, list):
        assert len(now) == len(then)
        for one, other in zip(now, then, strict=True):
            agrees(one, other)
    elif isinstance(then, float):
        assert now == pytest.approx(then, rel=1e-6, abs=1e-9)
    else:
        assert now == then


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_old_model_files_score_as_they_did(name: str) -> None:
    model, then = charlm.load(OLD / "models" / name), EXPECTED[name]
    about = {key: value for key, value in model.info.items() if key != "path"}
    agrees(about, then["info"])
    texts = [one["text"] for one in then["scores"]]
    causal = "eval" in then
    scores = model.score(texts, tokens=True, words=causal)
    agrees([one.as_dict() for one in scores], then["scores"])
    if causal:
        written = model.sample(num_samples=2, max_tokens=30, seed=3)
        agrees([one.as_dict() for one in written], then["samples"])
        text = TEXT.read_text("utf-8")[:2000]
        agrees(model.evaluate(text).as_dict(), then["eval"])


@pytest.mark.parametrize("name", ["lstm-adamw", "gru-muon"])
def test_old_runs_resume_to_the_same_weights(name: str, tmp_path: Path) -> None:
    run = tmp_path / name
    shutil.copytree(OLD / "stopped" / name, run)
    config = run / "config.toml"
    config.write_text(config.read_text("utf-8").replace("TEXT", str(TEXT)), "utf-8")
    outcome = resume(run)
    assert outcome.steps == 20
    _, now = tensor_file.read(run / "checkpoint.safetensors", "charlm-checkpoint")
    _, then = tensor_file.read(run / "resumed.safetensors", "charlm-checkpoint")
    assert now.keys() == then.keys()
    for key, tensor in then.items():  # the same bits on the processor that made them
        np.testing.assert_allclose(now[key], tensor, rtol=1e-4, atol=1e-6, err_msg=key)
