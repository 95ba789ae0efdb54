"""What the tests of exported pages share: a browser, and models opened in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from driven import CAN_DRIVE, browser
from model_page import ModelPage

from charlm.models.model_file import ModelFile


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A browser for all pages."""
    if not CAN_DRIVE:
        pytest.skip("chromium, chromedriver or selenium is not installed")
    with browser() as driver:
        yield driver


@pytest.fixture
def opened(chromium: Any, tmp_path: Path) -> Callable[[ModelFile], ModelPage]:
    """Opens a model's page."""
    return lambda contents: ModelPage(chromium, contents, tmp_path / "tale.safetensors")
