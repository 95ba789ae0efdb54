"""For tests: what a real browser makes of a page."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--window-size=1000,1600", "--enable-logging=stderr", "--v=0"),
]
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


def browse(page: str, place: Path, dark: bool = False) -> tuple[list[str], npt.NDArray[np.float32]]:
    """What the console says when a browser shows a page, and the picture (rows, columns, 3)."""
    from matplotlib.image import imread

    place.mkdir()
    (place / "page.html").write_text(page, "utf-8")
    command = [
        str(CHROMIUM),
        *FLAGS,
        f"--user-data-dir={place / 'profile'}",
        f"--blink-settings=preferredColorScheme={0 if dark else 1}",
        f"--screenshot={place / 'page.png'}",
        (place / "page.html").as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return console, np.asarray(imread(place / "page.png"))[..., :3]
