"""Scoring by torch gives NumPy's numbers. (The laws of the contract: test_laws.py.)"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from cli_support import TEXT, Cli, write_model
from toys import recurrent_lm, variety

from charlm.errors import CharlmError
from charlm.models import padding
from charlm.models.recurrent import RecurrentLM
from charlm.network import bulk_scoring


@pytest.mark.parametrize("lm", variety().values(), ids=variety().keys())
def test_equals_numpy(lm: RecurrentLM) -> None:
    rng = np.random.default_rng(3)
    seqs = [rng.integers(11, size=n) for n in (0, 1, 40, 7, 300, 7)]
    by_torch = bulk_scoring.on_device(lm, "cpu").logprobs(seqs)
    for one, other in zip(lm.logprobs(seqs), by_torch, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)


def test_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    lm = recurrent_lm("lstm")
    ids = np.random.default_rng(1).integers(11, size=(3, 50))
    whole, _ = lm.read(lm.start(3), ids)
    monkeypatch.setattr(padding, "MAX_ENTRIES", 4 * 7 * 3 * 8)  # eight tokens of three rows
    parts, _ = bulk_scoring.on_device(lm, "cpu").read(lm.start(3), ids)
    np.testing.assert_allclose(parts, whole, atol=2e-5)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_no_cuda_is_one_clear_line() -> None:
    with pytest.raises(CharlmError, match="no CUDA device"):
        bulk_scoring.on_device(recurrent_lm(), "cuda")
    assert isinstance(bulk_scoring.on_device(recurrent_lm(), "auto"), bulk_scoring.TorchLM)


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return Cli(write_model(tmp_path / "model.safetensors"), capsys, monkeypatch)


@pytest.mark.parametrize("command", [["score", "-f"], ["eval"], ["eval", "--window", "3"]])
def test_commands(cli: Cli, tmp_path: Path, command: list[str]) -> None:
    text = tmp_path / "text.txt"
    text.write_text(TEXT)
    plain, by_torch = (
        json.loads(cli(*command, text, "--json", *more).out) for more in ([], ["--device", "cpu"])
    )
    if command[0] == "score":
        plain, by_torch = plain[-1], by_torch[-1]
    assert plain["logprob"] == pytest.approx(by_torch["logprob"], abs=1e-3)
    assert plain["tokens"] == by_torch["tokens"]


def test_unknown_device(cli: Cli) -> None:
    assert "unknown device 'abacus'" in cli.fails("score", "a", "--device", "abacus")
