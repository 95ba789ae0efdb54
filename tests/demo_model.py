"""A model made in a second from data/demo.txt, for examples: those of docstrings and of README."""

from __future__ import annotations

from pathlib import Path

from charlm.runs.ngram_run import count

DATA = Path(__file__).parent.parent / "data"


def make(runs: Path) -> Path:
    """A 4-gram model of words as `runs`/demo, to which `runs`/latest then leads; its directory."""
    text = DATA / "demo.txt"
    return count(text, order=4, level="word", split="unicode", min_count=3, out=runs / "demo").run
