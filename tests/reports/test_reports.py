"""The report of a run: every part of the page, hostile text, and what a real browser says of it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import (
    Reader,
    browse,
    check_in_light_and_dark,
    check_self_contained,
    needs_browser,
)
from cli_support import Cli, write_model

import charlm
from charlm.display import colours
from charlm.errors import CharlmError
from charlm.models import model_file
from charlm.reports import findings
from charlm.reports import page as report_page
from charlm.runs.events import Events
from charlm.runs.ngram_run import estimate_ngram
from charlm.runs.run_directory import RunDirectory
from charlm.runs.run_text import reopen
from charlm.system import machine
from charlm.training.run import resume, train

HOSTILE = '<script>document.body.textContent = "owned"</script><img src=x onerror=alert(1)>&amp;'
LINES = ["the cat sleeps.", "a dog eats fish. 🐟", "my bird sees the sea.", "鱼在水里游。", HOSTILE]
SMALL: dict[str, Any] = {
    "hidden": 16,
    "embed": 8,
    "batch_size": 4,
    "bptt": 16,
    "precision": "fp32",
    "threads": 1,
    "device": "cpu",
    "steps": 40,
    "eval_every": 4,
    "lr": 0.02,
}
PARTS = (
    "Learning",
    "On validation text",
    "What it wrote",
    "Surprise, token by token",
    "The most surprising lines",
    "How far the gradient reaches back",
    "Settings",
    "Machine and speed",
)


def write_text(path: Path) -> Path:
    rng = np.random.default_rng(0)
    lines = [*rng.choice(LINES[:-1], 260), "\x1b[31m red", *rng.choice(LINES, 60)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a text and a run on it."""
    place = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        train(write_text(place / "text.txt"), level="char", out=place / "runs" / "tiny", **SMALL)
    return place


@pytest.fixture
def run(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the run, to be tampered with, and of its text."""
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True, symlinks=True)
    monkeypatch.chdir(tmp_path)
    config = Path("runs/tiny/config.toml")
    config.write_text(config.read_text("utf-8").replace(str(finished), str(tmp_path)), "utf-8")
    return tmp_path / "runs" / "tiny"


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return Cli(None, capsys, monkeypatch)


class Recorder(Events):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.done: list[float] = []
        self.samples: list[str] = []
        self.warnings: list[str] = []

    def stage(self, name: str, done: float) -> None:
        if name == "report":
            self.done.append(done)

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def wrote(self, text: str) -> None:
        self.samples.append(text)


def page_of(run: Path, events: Events | None = None) -> tuple[str, Reader]:
    place, _ = report_page.write(run, events=events)
    page = place.read_text("utf-8")
    return page, Reader(page)


@dataclass(frozen=True)
class Intact:
    """The report of the run as it was made."""

    run: Path
    found: findings.Findings
    heard: Recorder
    page: str
    read: Reader


@pytest.fixture(scope="module")
def intact(finished: Path) -> Intact:
    heard, run = Recorder(), finished / "runs" / "tiny"
    place, found = report_page.write(run, finished / "page.html", heard)
    page = place.read_text("utf-8")
    return Intact(run, found, heard, page, Reader(page))


def test_the_page_has_all_its_parts(intact: Intact) -> None:
    heard, page, read = intact.heard, intact.page, intact.read
    for part in PARTS:
        assert f"<h2>{part}</h2>" in page
    assert read.tags["svg"] == 2
    assert 'class="missing"' not in page
    assert heard.warnings == []
    assert heard.done == sorted(heard.done)
    assert heard.done[-1] == 1.0
    best = charlm.load(intact.run).info["training"]["best"]
    assert f"{best['bits_per_char']:.3f}" in read.shown
    for said in ("6-gram model", "鱼在水里游", "🐟", "dropout output", machine.processor(), "␛"):
        assert said in read.shown
    assert "\x1b" not in page


def test_it_fetches_nothing_and_text_cannot_act(intact: Intact) -> None:
    read = check_self_contained(intact.page)
    assert HOSTILE in read.shown  # among the most surprising lines, as text
    assert max(read.ids.values()) == 1


def test_samples_are_kept_at_a_few_validations(intact: Intact) -> None:
    rows = [json.loads(line) for line in (intact.run / "metrics.jsonl").read_text().splitlines()]
    validated = [row for row in rows if "valid" in row]
    assert len(validated) == 10
    assert [row["step"] for row in validated if "sample" in row] == [4, 8, 16, 32, 40]
    kept = intact.found.about["training"]["step"]
    assert {one.step for one in intact.found.written} == {4, 8, 16, 32, 40, kept}


def test_numbers_are_those_of_the_other_commands(intact: Intact) -> None:
    run, found = intact.run, intact.found
    text = reopen(RunDirectory(run), RunDirectory(run).read_config())
    lines = "".join(text.validation()).removesuffix("\n").split("\n")
    expected = charlm.load(run).score(lines, context="stream", tokens=True)
    assert not isinstance(found.heat, str)
    assert found.heat[7].token_scores is not None
    assert expected[7].token_scores is not None
    one, other = found.heat[7].token_scores[-1], expected[7].token_scores[-1]
    assert (one.token, one.rank) == (other.token, other.rank)
    assert one.logprob == pytest.approx(other.logprob, abs=1e-4)
    assert not isinstance(found.surprising, str)
    density = sorted(
        (s.measures.bits_per_char for s in expected if len(s.text) >= 15), reverse=True
    )
    got = [s.measures.bits_per_char for _, s in found.surprising.lines]
    assert got == pytest.approx(density[:10], rel=1e-4)
    assert lines[found.surprising.lines[0][0] - 1] == found.surprising.lines[0][1].text
    lm = estimate_ngram(text.corpus, 6, lines=False, events=Events())
    nats, _ = lm.read(lm.start(1), text.corpus.valid[None])
    assert not isinstance(found.baseline, str)
    assert found.baseline.measures.logprob == pytest.approx(nats.sum(dtype=np.float64))
    assert not isinstance(found.gradient, str)
    assert len(found.gradient) == findings.GRADIENT_TOKENS
    how, last = found.settings["training"], found.rows[-1]
    speed = 40 * how["batch_size"] * how["bptt"] / last["seconds"]
    assert found.tokens_per_second == pytest.approx(speed)


def test_large_training_texts_are_counted_in_part(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings, "MAX_NGRAM_TOKENS", 1000)
    page, _ = page_of(run)
    assert "counted only the first 1,000 of the" in page


@pytest.mark.parametrize("change", ["gone", "changed", "other validation"])
def test_without_its_text_the_page_is_made_all_the_same(run: Path, change: str) -> None:
    text = run.parent.parent / "text.txt"
    if change == "gone":
        text.unlink()
    elif change == "changed":
        text.write_text(text.read_text("utf-8") + "more\n", "utf-8")
    else:
        (text.parent / "valid.txt").write_text("a dog eats.\n" * 9, "utf-8")
        config = RunDirectory(run).read_config()
        config["corpus"]["valid"] = [str(text.parent / "valid.txt")]
        RunDirectory(run).write_config(config)
    heard = Recorder()
    page, read = page_of(run, heard)
    assert len(heard.warnings) == 1
    assert page.count('class="missing"') == 4
    assert "text.txt" in heard.warnings[0] or "validation text" in heard.warnings[0]
    assert read.tags["svg"] == 1


def test_runs_of_older_charlm(run: Path) -> None:
    """No samples in the metrics, no machine in the settings, or no metrics at all."""
    directory = RunDirectory(run)
    config = directory.read_config()
    del config["machine"]
    directory.write_config(config)
    rows = directory.read_metrics(99)
    directory.write_metrics([{k: v for k, v in r.items() if k != "sample"} for r in rows])
    page, read = page_of(run)
    assert "no samples along the way" in page
    assert "machine that made this report" in page
    assert "the model that was kept" in page
    directory.metrics.unlink()
    page, read = page_of(run)
    assert "holds no measurements" in page
    assert read.tags["svg"] == 1


def test_a_text_of_one_line_and_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("one.txt").write_text("the cat sees a dog, and a dog sees the cat " * 1500, "utf-8")
    done = train("one.txt", level="word", split="unicode", with_ngram=True, **SMALL)
    page, read = page_of(done.run)
    assert "one long line" in page
    assert "its network alone" in page
    assert "mixed with an n-gram model" in page
    assert "numbers" in read.shown
    assert "parameters" not in read.shown
    assert "a dog, and a dog" in read.shown  # spaces as in the text
    assert "↵" not in read.shown.split("is the end of a line")[1]


def test_beginning_of_a_text() -> None:
    assert findings.beginning(["a\nb", "c\nd"], 9) == (["a", "bc", "d"], False)
    assert findings.beginning(["a\nb", "c\nd"], 4) == (["a"], False)
    assert findings.beginning(["one two", " three"], 9) == (["one two"], True)
    assert findings.beginning(["一二三四"], 2) == (["一二"], True)


def test_resuming_keeps_the_samples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, finished: Path
) -> None:
    monkeypatch.chdir(tmp_path)

    class Stops(Events):
        def validated(self, step: int, *rest: Any) -> None:
            if step == 16:
                raise KeyboardInterrupt

    text = finished / "text.txt"
    with pytest.raises(KeyboardInterrupt):
        train(text, level="char", out="runs/tiny", events=Stops(), **SMALL)
    resume("runs/tiny")
    whole, broken = (
        [(r["step"], r["sample"]) for r in RunDirectory(p).read_metrics(99) if "sample" in r]
        for p in (finished / "runs" / "tiny", Path("runs/tiny"))
    )
    assert whole == broken


def test_a_network_that_reads_from_both_sides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    """Every number is called pseudo-, and what needs one direction is left out with a sentence."""
    monkeypatch.chdir(tmp_path)
    heard = Recorder()
    heard.wants_samples = True
    done = train(
        write_text(tmp_path / "text.txt"),
        level="char",
        out="both",
        bidirectional=True,
        events=heard,
        **SMALL,
    )
    assert heard.samples == []
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
    assert numbers["ngram"]["order"] == 6
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


def test_ink_can_be_read_on_every_shade() -> None:
    surprisal = (colours.ON_WHITE, colours.ON_BLACK)
    signed = (colours.SIGNED_ON_WHITE, colours.SIGNED_ON_BLACK)
    for scale in (*surprisal, *signed):
        for k in range(-1, 30):
            background = colours.interpolate(k / 24, scale)
            light = colours.luminance(background)
            dark = colours.needs_dark_text(background)
            contrast = (light + 0.05) / 0.05 if dark else 1.05 / (light + 0.05)
            assert contrast > 4.5  # WCAG 2, level AA
    assert colours.surprisal_colour(99) == colours.ON_WHITE[-1]


def test_no_gradient_without_a_text_to_follow(run: Path) -> None:
    with pytest.raises(CharlmError, match="too short"):
        findings.gradients(model_file.read(run / "model.safetensors"), np.zeros(2, np.uint8))


# A real browser -------------------------------------------------------------------------------


@needs_browser
def test_a_browser_shows_it_in_light_and_dark(intact: Intact, tmp_path: Path) -> None:
    check_in_light_and_dark(intact.page, tmp_path)


@needs_browser
def test_the_browser_test_would_notice(intact: Intact, tmp_path: Path) -> None:
    """Of a script error, of a script in our page, and of something to be fetched."""
    console, _ = browse("<!DOCTYPE html><script>nonsense()</script>", tmp_path / "error")
    assert "nonsense is not defined" in "".join(console)
    for k, bad in enumerate((HOSTILE.split("&")[0], '<link rel="stylesheet" href="x.css">')):
        console, picture = browse(
            intact.page.replace("<body>", f"<body>{bad}"), tmp_path / f"bad{k}"
        )
        assert "Content Security Policy" in "".join(console)
        assert float((picture < 0.5).any(axis=2).mean()) > 0.005  # and the page is still there
