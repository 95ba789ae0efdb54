"""A model made in a second from data/demo.txt, for examples: those of docstrings and of README."""

from __future__ import annotations

from wings import ROOT

from charlm.runs.ngram_run import count

TEXT = ROOT / "data" / "demo.txt"


def make() -> None:
    """Write a 4-gram model of words to runs/demo of the working directory, also as runs/latest."""
    count(TEXT, order=4, level="word", split="unicode", min_count=3, out="runs/demo")
