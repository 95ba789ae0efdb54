"""Training that starts from a model: weights, vocabulary, and what is forgotten."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trainings import SMALL, Recorder

import charlm
from charlm.config import LEVELS, TokenizerConfig
from charlm.errors import CharlmError
from charlm.measures import Measures
from charlm.models import model_file
from charlm.runs.run_directory import RunDirectory
from charlm.runs.run_text import reopen
from charlm.text.tokenizer import build
from charlm.training.loop import Trainer
from charlm.training.run import resume, train

TUNE: dict[str, Any] = {k: v for k, v in SMALL.items() if k not in ("hidden", "embed")}


class Watcher(Recorder):
    def __init__(self) -> None:
        super().__init__()
        self.kept_at: list[tuple[Measures, float]] = []

    def kept(self, measures: Measures, at_first: float) -> None:
        self.kept_at.append((measures, at_first))


@pytest.fixture
def new(tmp_path: Path) -> Path:
    """A text of other words, with characters that the old one lacks."""
    path = tmp_path / "new.txt"
    path.write_text("Zwei Öfen, die ein Häuschen heizen!\n" * 200, "utf-8")
    return path


@pytest.fixture
def old(text: Path) -> Path:
    train(text, steps=40, out="old", lr=0.02, **SMALL)
    return text


@pytest.mark.usefixtures("old")
def test_old_tokens_keep_their_ids_and_weights_and_new_ones_follow(new: Path) -> None:
    heard = Watcher()
    train(new, steps=1, lr=1e-9, warmup=0, out="new", init_from="old", events=heard, **TUNE)
    before, after = (
        model_file.read("old/model.safetensors"),
        model_file.read("new/model.safetensors"),
    )
    ours, theirs = before.tokenizer.as_dict(), after.tokenizer.as_dict()
    assert theirs["codepoints"][: len(ours["codepoints"])] == ours["codepoints"]
    assert set(map(chr, theirs["codepoints"])) >= set("ÖäZ!")
    for name, tensor in before.tensors.items():
        np.testing.assert_allclose(after.tensors[name][: len(tensor)], tensor, atol=1e-6)
    sentence = "the cat sleeps."
    scores = [charlm.load(run).score(sentence).measures.logprob for run in ("old", "new")]
    assert scores[1] < scores[0]  # the new tokens have taken some probability
    assert heard.validations[0][0] == 0  # measured before the first step
    assert len(np.unique(after.tensors["embedding.weight"], axis=0)) == after.tokenizer.vocab_size


def test_forgetting_is_measured(old: Path, new: Path) -> None:
    heard = Watcher()
    outcome = train(
        new, steps=30, lr=0.05, out="new", init_from="old", keep=old, events=heard, **TUNE
    )
    before = charlm.load("old").evaluate([old.read_text("utf-8")[-800:]], context="stream")
    assert heard.kept_at[0][0].bits_per_char == pytest.approx(heard.kept_at[0][1])
    assert heard.kept_at[0][1] == pytest.approx(before.bits_per_char, rel=0.3)
    assert outcome.kept[0] == heard.kept_at[0][1]
    assert outcome.kept[1] > outcome.kept[0]  # it has forgotten some
    rows = [json.loads(line) for line in Path("new/metrics.jsonl").read_text().splitlines()]
    assert [row["kept"]["bits_per_char"] for row in rows if "kept" in row] == [
        m.bits_per_char for m, _ in heard.kept_at
    ]


def test_a_stopped_run_resumes_with_its_tokens_and_its_old_text(old: Path, new: Path) -> None:
    how: dict[str, Any] = {"steps": 20, "eval_every": 5, "init_from": "old", "keep": old, **TUNE}
    whole = train(new, out="whole", **how)

    def stop() -> None:
        raise RuntimeError("killed")

    heard = Watcher()
    heard.at[12] = stop
    with pytest.raises(RuntimeError, match="killed"):
        train(new, out="part", events=heard, **how)
    Path("old/model.safetensors").unlink()  # no longer needed
    again = resume("part")
    assert again.model.read_bytes() == whole.model.read_bytes()
    assert again.kept == whole.kept


def test_killed_before_its_first_checkpoint_it_starts_from_the_model_again(
    old: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how: dict[str, Any] = {"steps": 8, "init_from": "old", "keep": old, **TUNE}
    whole = train(new, out="whole", **how)
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "fit", lambda self: pytest.fail("killed"))
        with pytest.raises(pytest.fail.Exception):
            train(new, out="part", **how)
    assert resume("part").model.read_bytes() == whole.model.read_bytes()


def test_a_report_reads_the_text_with_the_runs_own_tokens(old: Path, new: Path) -> None:
    train(new, steps=4, out="new", init_from="old", keep=old, **TUNE)
    text = reopen(RunDirectory(Path("new")), RunDirectory(Path("new")).read_config())
    model = model_file.read("new/model.safetensors")
    assert text.corpus.tokenizer.as_dict() == model.tokenizer.as_dict()


def test_another_old_text_is_noticed_on_resume(old: Path, new: Path) -> None:
    train(new, steps=4, out="new", init_from="old", keep=old, **TUNE)
    old.write_text(old.read_text("utf-8") + "more\n", "utf-8")
    with pytest.raises(CharlmError, match="has changed"):
        resume("new")


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden": 24}, "shape is that of .*`hidden`"),
        ({"cell": "gru"}, "`cell`"),
        ({"level": "word"}, "tokens are those of .*`level`"),
        ({"vocab_size": 50}, "`vocab_size`"),
        ({"init_from": "nowhere"}, "no model nowhere"),
        ({"keep": "missing.txt"}, "missing.txt does not exist"),
    ],
)
def test_bad_requests(new: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(CharlmError, match=message):
        train(new, steps=3, **{"init_from": "old", **settings})
    assert not Path("runs/new").exists()


@pytest.mark.usefixtures("old")
def test_what_the_model_has_may_be_said_again(new: Path) -> None:
    outcome = train(new, steps=2, init_from="old", hidden=16, level="char", dropout=0.1, **TUNE)
    assert outcome.steps == 2


def test_keep_needs_a_model_and_a_model_needs_a_network(text: Path, new: Path) -> None:
    with pytest.raises(CharlmError, match="`keep` goes with `init_from`"):
        train(new, steps=3, keep=text)
    charlm.ngram(text, order=2, out="counted")
    with pytest.raises(CharlmError, match="holds no network"):
        train(new, steps=3, init_from="counted")


@pytest.mark.parametrize("level", LEVELS)
def test_extended_vocabularies(level: str) -> None:
    config = TokenizerConfig(level, vocab_size=300 if level == "subword" else 0)
    old, new = "the cat sees the sea\n" * 300, "the Öfen\n" * 3
    tokenizer = build(config, [old])
    extended = tokenizer.extended(TokenizerConfig(level), [new])
    assert np.array_equal(extended.encode(old), tokenizer.encode(old))
    assert extended.unk is None or extended.unk not in extended.encode(new)
    if level in ("char", "word"):
        assert extended.vocab_size > tokenizer.vocab_size
    again = extended.extended(TokenizerConfig(level), [new])
    assert again.as_dict() == extended.as_dict()
