"""`charlm report`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_support import Cli, write_model
from report_support import PARTS, TRAINING, page_of, write_text
from trainings import Recorder

import charlm
from charlm.reports import findings
from charlm.runs.events import Events
from charlm.runs.run_directory import RunDirectory
from charlm.training.run import train


@pytest.fixture
def model() -> None:
    """No model is meant where a command names none."""


def test_a_network_that_reads_from_both_sides(elsewhere: Path, cli: Cli) -> None:
    """Every number is called pseudo-, and what needs one direction is left out with a sentence."""
    heard = Recorder()
    done = train(
        write_text(elsewhere / "text.txt"),
        level="char",
        out="both",
        bidirectional=True,
        events=heard,
        **TRAINING,
    )
    assert heard.written == []
    assert not any("sample" in row for row in RunDirectory(done.run).read_metrics(99))
    page, read = page_of(done.run, heard)
    assert heard.warnings == []
    for part in PARTS:
        assert f"<h2>{part}</h2>" in page
    assert page.count('class="missing"') == 3
    for said in (
        "No n-gram model beside it",
        "cannot predict what comes next",
        "Left out: the network is bidirectional",
        "bidirectional LSTM 1 × 16",
        "pseudo-surprisal in bits",
        "By pseudo-bits per character",
        "pseudo-bits/character",
    ):
        assert said in read.shown
    shown = read.shown.lower().replace("this is not a perplexity", "")
    for number_of in ("perplexity", "surprisal", "bits/char", "bits per char"):
        assert shown.count(number_of) == shown.count(f"pseudo-{number_of}") > 0
    found = findings.collect(RunDirectory(done.run), Events())
    assert not isinstance(found.heat, str)
    one = found.heat[3]
    assert one.token_scores is not None
    own = charlm.load(done.run).score(one.text, tokens=True)
    assert own.token_scores is not None
    assert one.logprob == pytest.approx(own.logprob, abs=1e-4)
    assert [t.rank for t in one.token_scores] == [t.rank for t in own.token_scores]
    numbers = json.loads(cli("report", "both", "--json").out)
    assert numbers["pseudo"] is True
    assert (numbers["ngram"], numbers["gradient"], numbers["samples"]) == (None, None, [])
    assert len(numbers["surprising"]) == 10
    assert "pseudo-perplexity" in cli("info", "--model", "both").out
    for command in (
        ("lab", "neurons", "both", "text.txt"),
        ("lab", "agreement", "--model", "both"),
        ("sample", "--model", "both"),
    ):
        assert "bidirectional" in cli.fails(*command)


def test_command(run: Path, cli: Cli) -> None:
    done = cli("report")
    assert (done.code, done.out, done.err) == (0, "runs/latest/report.html\n", "")
    assert (run / "report.html").exists()
    done = cli("report", "runs/tiny", "--out", "page.html", "--json", "-v")
    numbers = json.loads(done.out)
    assert numbers["report"] == "page.html"
    assert numbers["best"] == charlm.load(run).info["training"]["best"]
    assert numbers["ngram"]["order"] == 10
    assert len(numbers["surprising"]) == 10
    assert done.err == "run: runs/tiny\n"
    Path("text.txt").unlink()
    done = cli("report", "runs/tiny/model.safetensors")
    assert done.err.startswith("warning: ")
    assert done.err.count("\n") == 1
    assert cli("report", "-q").err == ""
    assert json.loads(cli("report", "--json").out)["ngram"] is None


def test_bad_requests_are_one_line(run: Path, cli: Cli) -> None:
    assert "nowhere" in cli.fails("report", "nowhere")
    assert "empty" in cli.fails("report", "")
    Path("other").mkdir()
    assert "is not a run" in cli.fails("report", "other")
    write_model(Path("other/model.safetensors"))
    assert "charlm info" in cli.fails("report", "other")
    assert "directory" in cli.fails("report", "--out", "other").lower()
    assert "No such" in cli.fails("report", "--out", "nowhere/page.html")
    (run / "curves.png").touch()
    for own in (
        "text.txt",
        "runs/tiny/model.safetensors",
        "runs/latest/metrics.jsonl",
        "runs/tiny/curves.png",
    ):
        assert "file of the run" in cli.fails("report", "--out", own)
    metrics = run / "metrics.jsonl"
    for damage in ("{", '"x"\n', '{"loss": 1, "seconds": 2}\n', '{"step": 1, "valid": 3}\n'):
        metrics.write_text(damage)
        assert "damaged" in cli.fails("report")
    (run / "model.safetensors").rename("kept")
    assert "no model yet" in cli.fails("report", "runs/tiny")
    assert not (run / "report.html").exists()
    Path("kept").rename(run / "model.safetensors")
    settings = (run / "config.toml").read_text("utf-8")
    for damage in ("[", settings.replace("[network]", "[netwrk]"), "corpus = 3"):
        (run / "config.toml").write_text(damage, "utf-8")
        assert "damaged" in cli.fails("report")


def test_a_page_replaces_pages_only(cli: Cli, run: Path) -> None:
    letter, own = Path("letter.html"), run / "report.html"
    for place in (letter, own):
        place.write_text("Dear Ada,")
    assert "--force" in cli.fails("report", run, "--out", letter)
    assert letter.read_text() == "Dear Ada,"
    with pytest.raises(charlm.CharlmError, match="`force`"):
        charlm.report(run, out=letter)
    assert charlm.report(run, out=letter, force=True).path == letter
    assert cli("report", run, "--out", letter).code == 0
    assert cli("report", run).code == 0
    for place in (letter, own):
        assert "<h1>" in place.read_text("utf-8")
