"""For tests: what a parser of HTML and a real browser make of a page."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest


class Reader(HTMLParser):
    """Checks that every element is closed, and collects."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()
        self.attributes: list[tuple[str, str]] = []
        self.shown = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]
        self.ids.update(value for name, value in attrs if name == "id" and value)
        if tag not in ("meta", "input", "link"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.shown += data


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--window-size=1000,1600", "--enable-logging=stderr", "--v=0"),
]
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


def check_self_contained(page: str) -> Reader:
    """It fetches nothing, and no text in it can act."""
    read = Reader(page)
    assert "default-src 'none'" in page
    assert not {"script", "img", "link", "iframe", "object", "base"} & set(read.tags)
    assert [name for name, _ in read.attributes if name.startswith("on")] == []
    for name, value in read.attributes:
        if name in ("src", "href", "xlink:href", "action", "srcset"):
            assert value.startswith("#")
    rest = re.sub(r'xmlns(:xlink)?="http://www\.w3\.org/[^"]*"', "", page)
    assert re.findall(r"https?:|//|@import|url\((?!#)", rest) == []
    return read


def check_in_light_and_dark(page: str, place: Path) -> None:
    """A browser has nothing to complain of, and shows text that stands out from the paper."""
    corners = []
    for dark in (False, True):
        console, picture = browse(page, place / f"dark-{dark}", dark)
        assert console == []
        corner = picture[2, 2]
        corners.append(float(corner.mean()))
        inked = float((np.abs(picture - corner).max(axis=2) > 0.5).mean())
        assert 0.005 < inked < 0.5
    assert corners[0] > 0.9
    assert corners[1] < 0.2


def browse(page: str, place: Path, dark: bool = False) -> tuple[list[str], npt.NDArray[np.float32]]:
    """What the console says when a browser shows a page, and the picture (rows, columns, 3)."""
    from matplotlib.image import imread

    place.mkdir(parents=True)
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
