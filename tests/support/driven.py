"""For tests: a real browser, driven as a person would."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import pytest
from browser import CHROMIUM, FLAGS

DRIVER = shutil.which("chromedriver")
CAN_DRIVE = CHROMIUM is not None and DRIVER is not None and find_spec("selenium") is not None
needs_driver = pytest.mark.skipif(
    not CAN_DRIVE, reason="chromium, chromedriver or selenium is not installed"
)


@contextmanager
def browser(width: int = 1200, height: int = 1400, *, dark: bool = False) -> Iterator[Any]:
    """A Chromium window of that size, in CSS pixels."""
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    for flag in FLAGS:
        if not flag.startswith(("--window-size", "--enable-logging", "--v=")):
            options.add_argument(flag)
    options.binary_location = str(CHROMIUM)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=Service(DRIVER))
    try:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        yield driver
    finally:
        driver.quit()


def complaints(driver: Any) -> list[str]:
    """What the console says."""
    return [entry["message"] for entry in driver.get_log("browser")]


def asked_for(driver: Any) -> set[str]:
    """Every URL that the page has asked for."""
    messages = (json.loads(entry["message"])["message"] for entry in driver.get_log("performance"))
    sent = (one["params"] for one in messages if one["method"] == "Network.requestWillBeSent")
    return {params["request"]["url"] for params in sent}
