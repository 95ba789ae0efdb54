"""For tests: a model in a page of its own, opened in a browser."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import charlm
from charlm.export.exporting import export
from charlm.models import model_file
from charlm.models.model_file import ModelFile

ASK = """
    const [path, body, done] = arguments;
    charlm.ask(path, body)
        .then((answer) => done({ answer }), (error) => done({ error: error.message }));
"""


class ModelPage:
    """A model's page in the browser, and the model itself."""

    def __init__(self, driver: Any, contents: ModelFile, path: Path) -> None:
        model_file.write(path, contents)
        self.driver, self.model = driver, charlm.load(path)
        (self.file,) = export(str(path), to="html", out=path.with_suffix(".html")).files
        driver.get(self.file.as_uri())
        self.until(lambda: driver.execute_script("return Boolean(globalThis.charlm)"))

    def ask(self, path: str, **body: Any) -> Any:
        """What the page answers; of an error, its message."""
        found = self.driver.execute_async_script(ASK, path, body)
        return found.get("answer", found.get("error"))

    def until(self, true: Callable[[], Any]) -> Any:
        end = time.monotonic() + 20
        while not (found := true()):
            assert time.monotonic() < end, "nothing happens"
            time.sleep(0.02)
        return found

    def text(self, selector: str) -> str:
        found = self.driver.find_element("css selector", selector)
        return str(found.get_property("textContent"))

    def count(self, selector: str) -> int:
        return len(self.driver.find_elements("css selector", selector))
