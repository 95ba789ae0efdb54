"""What the tests of reports share."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import Reader
from report_support import Intact
from trainings import Recorder


@pytest.fixture(scope="session")
def intact(finished: Path) -> Intact:
    from charlm.reports import page as report_page

    heard, run = Recorder(), finished / "runs" / "tiny"
    place, found = report_page.write(run, finished / "page.html", heard)
    page = place.read_text("utf-8")
    return Intact(run, found, heard, page, Reader(page))
