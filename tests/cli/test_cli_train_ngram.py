"""`charlm train` with its n-gram model, and --plain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_support import Cli

import charlm
from charlm.models import model_file, model_parts

pytestmark = pytest.mark.usefixtures("random_words")


@pytest.fixture
def model() -> None:
    """No model is meant where a command names none."""


@pytest.mark.train
def test_an_ngram_model_is_mixed_in(cli: Cli) -> None:
    small = ("--hidden", "16", "--embed", "8", "--steps", "30", "--batch-size", "4")
    done = json.loads(cli("train", "corpus.txt", *small, "--out", "r", "--json").out)
    assert done["best"]["nats_per_char"] < done["network"]["nats_per_char"]
    contents = model_file.read("r/model.safetensors")
    assert contents.family in ("mixture", "log-linear")
    assert [part["family"] for part in contents.config["parts"]] == ["recurrent", "ngram"]
    network = model_parts.part(contents, 0)
    assert network.family == "recurrent"
    assert network.training["best"]["nats_per_char"] == pytest.approx(
        done["network"]["nats_per_char"]
    )
    assert charlm.load("r").score("the cat sat").logprob < 0
    again = cli("train", "--resume", "r", "--json")  # finished: mixed anew, to the same model
    assert json.loads(again.out)["best"] == done["best"]
    assert model_file.read("r/model.safetensors").config == contents.config


def test_an_arpa_file_in_another_order_can_be_mixed_in(cli: Cli) -> None:
    cli("ngram", "corpus.txt", "--level", "word", "--order", "2", "--out", "a")
    reordered = Path("corpus.txt").read_text().splitlines()
    other = [line for line in reordered if "pear" in line] * 3 + reordered
    Path("other.txt").write_text("\n".join(other) + "\n")
    cli("ngram", "other.txt", "--level", "word", "--order", "3", "--arpa", "b.lm", "--out", "b")
    own, theirs = (model_file.read(f"{run}/model.safetensors").tokenizer for run in "ab")
    assert own.as_dict() != theirs.as_dict()
    mixed = json.loads(cli("mix", "a", "b.lm", "--dev", "held.txt", "--out", "m", "--json").out)
    found = json.loads(cli("eval", "held.txt", "--model", "b", "--json").out)
    alone = mixed["parts"][1]["nats_per_token"]
    assert alone == pytest.approx(-found["logprob"] / found["tokens"], rel=1e-3)


@pytest.mark.train
def test_interrupted_and_resumed(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from charlm.runs.events import Events, Step
    from charlm.training.run import resume, train

    class Stopper(Events):
        def step(self, step: Step) -> None:
            if step.step == 12:
                raise KeyboardInterrupt

    how: dict[str, Any] = {"hidden": 16, "embed": 8, "steps": 30, "batch_size": 4, "eval_every": 5}
    with pytest.raises(KeyboardInterrupt):
        train("corpus.txt", out="broken", events=Stopper(), **how)
    whole = train("corpus.txt", out="whole", **how)
    again = resume("broken")
    assert again.best == whole.best
    assert again.network == whole.network
    assert model_file.read("broken/model.safetensors").family in ("mixture", "log-linear")
