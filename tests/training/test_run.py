"""From a text to a run directory: requests, resuming, and what is left behind."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from trainings import SMALL, Recorder

import charlm
from charlm.config import TrainConfig
from charlm.errors import CharlmError
from charlm.tasks.fill import fill
from charlm.training import loop
from charlm.training.closing import Closing
from charlm.training.run import resume, train


def test_a_bidirectional_network_is_trained_resumed_and_used(elsewhere: Path) -> None:
    text = elsewhere / "t.txt"
    text.write_text("the cat was full.\nthe cats were full.\n" * 60, "utf-8")
    settings: dict[str, Any] = {
        "cell": "gru",
        "layers": 3,
        "hidden": 24,
        "bptt": 16,
        "batch_size": 4,
        "lr": 0.02,
    }
    done = charlm.train(text, out="run", steps=60, bidirectional=True, **settings)
    assert done.best["perplexity"] < 1.5
    model = charlm.load("run")
    assert model.score("the cat was full.").pseudo
    assert fill(model.lm, model.tokenizer, "the cat wa_ full.")[0].tokens == ("s",)
    with pytest.raises(CharlmError, match="bidirectional"):
        model.sample()
    assert resume("run").steps == 60
    with pytest.raises(CharlmError, match="cache"):
        charlm.train(text, bidirectional=True, cache=True)


def test_it_learns_and_leaves_a_whole_run_directory(text: Path) -> None:
    heard = Recorder()
    outcome = train(text, steps=150, lr=0.02, out="run", events=heard, **SMALL)
    assert not outcome.interrupted
    assert outcome.steps == 150
    assert heard.losses[-1] < 0.5 * heard.losses[0]
    names = {path.name for path in Path("run").iterdir()}
    assert names == {
        "model.safetensors",
        "checkpoint.safetensors",
        "fallback.safetensors",
        "config.toml",
        "metrics.jsonl",
        "curves.png",
    }
    assert Path("run/curves.png").read_bytes().startswith(b"\x89PNG")
    rows = [json.loads(line) for line in Path("run/metrics.jsonl").read_text().splitlines()]
    assert [r["step"] for r in rows if "valid" in r] == [s for s, _, _ in heard.validations]
    best = max(heard.validations, key=lambda v: v[1].logprob)
    assert outcome.best_step == best[0]
    assert outcome.best == best[1].as_dict()
    assert heard.written[-1]
    model = charlm.load(outcome.model)
    got = model.score("the cat sleeps.")
    assert got.measures.perplexity < model.score("cat the slepes.").measures.perplexity


def test_minutes_fix_the_number_of_steps(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("charlm.training.timing.seconds_per_step", lambda *_: 0.5)
    monkeypatch.setattr(loop.Trainer, "fit", lambda self: self.config)
    monkeypatch.setattr(Closing, "finish", lambda self, outcome, *_: outcome)
    config: Any = train(text, minutes=10, **SMALL)
    assert 0.9 * 1200 < config.steps <= 1200
    assert config.as_dict() == charlm_config("runs/text")["training"]


def charlm_config(run: str) -> dict[str, Any]:
    return tomllib.loads(Path(run, "config.toml").read_text())


def test_bad_requests(text: Path, tmp_path: Path) -> None:
    with pytest.raises(CharlmError, match="`steps` and `minutes`"):
        train(text, steps=3, minutes=1)
    with pytest.raises(CharlmError, match="unknown setting `hiden`"):
        train(text, steps=3, hiden=4)  # type: ignore[call-arg]
    with pytest.raises(CharlmError, match="unknown cell 'lsdm'"):
        train(text, steps=3, cell="lsdm")
    (tmp_path / "short.txt").write_text("abc\ndef\n" * 12)
    with pytest.raises(CharlmError, match="fewer than one batch"):
        train(tmp_path / "short.txt", steps=3, batch_size=64, bptt=64)
    assert not any(p.name != ".cache" for p in Path("runs").iterdir())
    with pytest.raises(CharlmError, match="nothing to resume"):
        resume("nowhere")


def test_resume_refuses_other_text_and_other_settings(text: Path) -> None:
    train(text, steps=3, out="run", **SMALL)
    config = Path("run/config.toml")
    good = config.read_text()
    config.write_text(good.replace("hidden = 16", "hidden = 24"))
    with pytest.raises(CharlmError, match=r"different settings.*hidden"):
        resume("run")
    config.write_text(good.replace("[network]", "[netwrk]"))
    with pytest.raises(CharlmError, match="damaged"):
        resume("run")
    config.write_text(good)
    text.write_text(text.read_text() + "one more line\n")
    with pytest.raises(CharlmError, match="has changed"):
        resume("run")
    with pytest.raises(CharlmError, match="already holds a run"):
        train(text, steps=3, out="run", **SMALL)


def test_epochs_are_a_number_of_steps(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop.Trainer, "fit", lambda self: self.config)
    monkeypatch.setattr(Closing, "finish", lambda self, outcome, *_: outcome)
    one, three, short = (
        cast(TrainConfig, train(text, epochs=epochs, **SMALL)).steps for epochs in (1, 3, 1e-9)
    )
    assert three == 3 * one
    assert short == 1


def test_what_a_run_needs_to_be_resumed(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(text, steps=3, out="run", **SMALL)
    config = Path("run/config.toml")
    good = config.read_text()
    config.write_text(good.replace('device = "cpu"', 'device = "cuda"'))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(CharlmError, match="on a CUDA device, and none is available"):
        resume("run")
    config.write_text(good)
    Path("run/checkpoint.safetensors").unlink()
    with pytest.raises(CharlmError, match="its model can be used"):
        resume("run")
    assert charlm.load("run").score("the cat").logprob < 0
