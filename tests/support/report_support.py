"""For the tests of reports: a text with hostile lines, a small run on it, and its page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from browser import Reader
from trainings import SMALL, Recorder

if TYPE_CHECKING:  # importing these takes PyTorch
    from charlm.reports.findings import Findings
    from charlm.runs.events import Events

HOSTILE = '<script>document.body.textContent = "owned"</script><img src=x onerror=alert(1)>&amp;'
LINES = ["the cat sleeps.", "a dog eats fish. 🐟", "my bird sees the sea.", "鱼在水里游。", HOSTILE]
RED = "\x1b[31m red"  # an escape sequence, in the text and in what is held out
TRAINING: dict[str, Any] = SMALL | {"steps": 40, "eval_every": 4, "lr": 0.02}
PARTS = (
    "Learning",
    "On validation text",
    "What it wrote",
    "Surprise, token by token",
    "The network at work",
    "The most surprising lines",
    "How far the gradient reaches back",
    "Settings",
    "Machine and speed",
)


def write_text(path: Path) -> Path:
    rng = np.random.default_rng(0)
    lines = [*rng.choice(LINES[:-1], 260), RED, *rng.choice(LINES, 60), RED]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def page_of(run: Path, events: Events | None = None) -> tuple[str, Reader]:
    """The page of a run's report, as it stands and as it is read."""
    from charlm.reports import page as report_page

    place, _ = report_page.write(run, events=events)
    page = place.read_text("utf-8")
    return page, Reader(page)


@dataclass(frozen=True)
class Intact:
    """The report of the run as it was made."""

    run: Path
    found: Findings
    heard: Recorder
    page: str
    read: Reader
