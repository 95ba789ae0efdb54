"""The page of a run's report: every part, hostile text, and what a real browser says of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import (
    browse,
    check_in_light_and_dark,
    check_self_contained,
    needs_browser,
)
from report_support import HOSTILE, PARTS, TRAINING, Intact, page_of
from trainings import Recorder

import charlm
from charlm.runs.run_directory import RunDirectory
from charlm.system import machine
from charlm.tasks.draw import MAX_STEPS
from charlm.training.run import train

DRAWN = 1 + MAX_STEPS  # the network, and its cell at every step


def test_the_page_has_all_its_parts(intact: Intact) -> None:
    heard, page, read = intact.heard, intact.page, intact.read
    for part in PARTS:
        assert f"<h2>{part}</h2>" in page
    assert read.tags["svg"] == 2 + DRAWN
    assert 'class="missing"' not in page
    assert heard.warnings == []
    assert heard.stages["report"] == sorted(heard.stages["report"])
    assert heard.stages["report"][-1] == 1.0
    best = charlm.load(intact.run).info["training"]["best"]
    assert f"{best['bits_per_char']:.3f}" in read.shown
    for said in ("10-gram model", "鱼在水里游", "🐟", "dropout output", machine.processor(), "␛"):
        assert said in read.shown
    assert "\x1b" not in page


def test_it_fetches_nothing_and_text_cannot_act(intact: Intact) -> None:
    read = check_self_contained(intact.page)
    assert HOSTILE in read.shown  # among the most surprising lines, as text
    assert max(read.ids.values()) == 1


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
    assert page.count('class="missing"') == 5
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
    assert "the network that was kept" in page
    directory.metrics.unlink()
    page, read = page_of(run)
    assert "holds no measurements" in page
    assert read.tags["svg"] == 1 + DRAWN


def test_a_text_of_one_line_and_words(elsewhere: Path) -> None:
    Path("one.txt").write_text("the cat sees a dog, and a dog sees the cat " * 1500, "utf-8")
    done = train(
        "one.txt", level="word", split="unicode", cache=True, **(TRAINING | {"plain": False})
    )
    page, read = page_of(done.run)
    assert "one long line" in page
    assert "its network alone" in page
    assert "mixed with an n-gram model" in page
    assert "numbers" in read.shown
    assert "parameters" not in read.shown
    assert "a dog, and a dog" in read.shown  # spaces as in the text
    assert "↵" not in read.shown.split("is the end of a line")[1]


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
