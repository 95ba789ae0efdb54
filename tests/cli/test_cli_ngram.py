"""`charlm ngram`, `charlm mix` and `charlm train --with-ngram`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_support import Cli

import charlm
from charlm.models import model_file, model_parts

WORDS = ["the", "a", "cat", "dog", "mat", "sat", "ate", "on", "pear", "apple"]


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHARLM_ALLOCATOR", "off")  # no new process for `train`
    rng = np.random.default_rng(0)
    lines = [" ".join(rng.choice(WORDS, 6)) for _ in range(400)]
    Path("corpus.txt").write_text("\n".join(lines) + "\n")
    Path("held.txt").write_text("\n".join(" ".join(rng.choice(WORDS, 6)) for _ in range(60)))
    return Cli(None, capsys, monkeypatch)


@pytest.mark.parametrize("level", ["char", "word", "byte"])
def test_an_ngram_model_works_in_every_command(cli: Cli, level: str) -> None:
    done = json.loads(cli("ngram", "corpus.txt", "--level", level, "--json").out)
    assert done["order"] == (5 if level == "word" else 6)
    assert len(done["sizes"]) == done["order"]
    shown = json.loads(cli("info", "--json").out)  # it is the latest
    assert shown["family"] == "ngram"
    assert "-gram" in cli("info").out
    evaluated = json.loads(cli("eval", "held.txt", "--json").out)
    assert 0 < evaluated["bits_per_char"] < 4
    assert json.loads(cli("eval", "held.txt", "--window", "7", "--json").out)["tokens"]
    assert cli("score", "the cat sat", "the dog", "--words").code == 0
    assert cli("sample", "--max-tokens", "20", "--seed", "1", "-q").code == 0
    assert "recurrent" in cli.fails("eval", "held.txt", "--adapt", "cache")


def test_validation_is_what_eval_says(cli: Cli) -> None:
    done = json.loads(
        cli("ngram", "corpus.txt", "--level", "word", "--valid", "held.txt", "--json").out
    )
    evaluated = json.loads(cli("eval", "held.txt", "--json").out)
    assert done["best"]["logprob"] == pytest.approx(evaluated["logprob"], rel=1e-6)
    assert done["best"]["chars"] == evaluated["chars"]


def test_arpa_files_are_models(cli: Cli) -> None:
    made = cli("ngram", "corpus.txt", "--level", "word", "--order", "3", "--arpa", "m.arpa")
    assert made.code == 0
    assert "3-grams" in made.out
    same = [
        json.loads(cli("eval", "held.txt", "--json", "--model", model).out)["logprob"]
        for model in ("runs/latest", "m.arpa")
    ]
    assert same[0] == pytest.approx(same[1], rel=1e-5)
    assert cli("info", "--model", "m.arpa").code == 0
    assert "--context sentence" in cli.fails("ngram", "corpus.txt", "--arpa", "x.arpa")
    Path("bad.arpa").write_text("\\data\\\nngram 1=2\n")
    assert "is not a valid ARPA file; line 2" in cli.fails("score", "a", "--model", "bad.arpa")


def test_pruning_makes_a_model_smaller(cli: Cli) -> None:
    whole = json.loads(cli("ngram", "corpus.txt", "--level", "word", "--json").out)
    options = ("--level", "word", "--min-counts", "1,2,2", "--json")
    pruned = json.loads(cli("ngram", "corpus.txt", *options).out)
    assert pruned["sizes"][0] == whole["sizes"][0]
    assert pruned["sizes"][3] < whole["sizes"][3]
    assert "whole numbers" in cli.fails("ngram", "corpus.txt", "--min-counts", "a,b")
    assert "begin with 1" in cli.fails("ngram", "corpus.txt", "--min-counts", "2")


def test_bad_input(cli: Cli) -> None:
    assert "none.txt" in cli.fails("ngram", "none.txt")
    Path("empty.txt").write_text("")
    assert "empty" in cli.fails("ngram", "empty.txt")
    assert "order" in cli.fails("ngram", "corpus.txt", "--order", "99999999999")
    assert "whole numbers" in cli.fails("ngram", "corpus.txt", "--min-counts", "")
    words = ("ngram", "corpus.txt", "--level", "word", "--arpa")
    assert "the text itself" in cli.fails(*words, "corpus.txt")
    assert "No such file" in cli.fails(*words, "nodir/x.arpa")
    assert not list(Path("runs").glob("[!.]*")), "a failed command leaves no run"


def test_mix(cli: Cli) -> None:
    for order in (1, 4):
        out = f"o{order}"
        cli("ngram", "corpus.txt", "--level", "word", "--order", str(order), "--out", out)
    mixed = json.loads(cli("mix", "o1", "o4", "--dev", "held.txt", "--out", "m", "--json").out)
    weights = np.array(mixed["weights"])
    assert weights.shape == (4, 2)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    parts = [part["nats_per_token"] for part in mixed["parts"]]
    nats = -mixed["best"]["logprob"] / mixed["best"]["tokens"]
    assert nats <= min(parts)
    found = json.loads(cli("eval", "held.txt", "--model", "m", "--json").out)
    assert found["logprob"] == pytest.approx(mixed["best"]["logprob"], rel=1e-3)
    assert found["chars"] == mixed["best"]["chars"]
    assert "mixture" in cli("info", "--model", "m").out
    assert cli("sample", "--model", "m", "--max-tokens", "5", "-q").code == 0
    options = ("--dev", "held.txt", "--cache", "--out", "mc", "--json")
    Path("held.txt").write_text("the pear the pear the pear\n" * 40)
    with_cache = json.loads(cli("mix", "o1", "o4", *options).out)
    assert 0 < with_cache["cache"] < 1
    found = json.loads(cli("eval", "held.txt", "--model", "mc", "--json").out)
    assert found["logprob"] == pytest.approx(with_cache["best"]["logprob"], rel=2e-3)
    assert "with a cache of 500 tokens" in cli("info", "--model", "mc").out
    assert model_parts.part(model_file.read("mc/model.safetensors"), 1).family == "ngram"
    shown = cli("mix", "o1", "m", "--dev", "held.txt").out  # a mixture is a part like others
    assert "perplexity" in shown
    cli("ngram", "corpus.txt", "--out", "chars")
    assert "different vocabularies" in cli.fails("mix", "o1", "chars", "--dev", "held.txt")
    assert "two models" in cli.fails("mix", "o1", "--dev", "held.txt")
    Path("blank.txt").write_text("\n\n")
    assert "whitespace" in cli.fails("mix", "o1", "o4", "--dev", "blank.txt")
    assert "nothing.txt" in cli.fails("mix", "o1", "o4", "--dev", "nothing.txt")


@pytest.mark.train
def test_scoring_in_bulk_needs_no_network(cli: Cli) -> None:
    assert cli("ngram", "corpus.txt").code == 0
    assert cli("score", "the cat", "--device", "cpu").code == 0


@pytest.mark.train
def test_training_with_ngram(cli: Cli) -> None:
    small = ("--hidden", "16", "--embed", "8", "--steps", "30", "--batch-size", "4")
    done = json.loads(
        cli("train", "corpus.txt", *small, "--out", "r", "--with-ngram", "--json").out
    )
    assert done["best"]["nats_per_char"] < done["network"]["nats_per_char"]
    contents = model_file.read("r/model.safetensors")
    assert contents.family == "mixture"
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
def test_interrupted_and_resumed_with_ngram(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from charlm.runs.events import Events, Step
    from charlm.training.run import resume, train

    class Stopper(Events):
        def step(self, step: Step) -> None:
            if step.step == 12:
                raise KeyboardInterrupt

    how: dict[str, Any] = {"hidden": 16, "embed": 8, "steps": 30, "batch_size": 4, "eval_every": 5}
    with pytest.raises(KeyboardInterrupt):
        train("corpus.txt", out="broken", with_ngram=True, events=Stopper(), **how)
    whole = train("corpus.txt", out="whole", with_ngram=True, **how)
    again = resume("broken")
    assert again.best == whole.best
    assert again.network == whole.network
    assert model_file.read("broken/model.safetensors").family == "mixture"
