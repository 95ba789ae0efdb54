"""The run directory: its files, and how it is named.

runs/<name>/model.safetensors        the best weights on validation text; all that is needed for use
runs/<name>/checkpoint.safetensors   the latest state of training, for a bit-identical resume
runs/<name>/config.toml              every setting, the text's location, and the machine
runs/<name>/metrics.jsonl            one line per measurement
runs/<name>/curves.png               the same, plotted
runs/<name>/report.html              a page about the run, once `charlm report` has written it
runs/latest                          the newest run that has a model
"""

from __future__ import annotations

import itertools
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from ..errors import CharlmError
from ..system import storage
from ..text.find_files import corpus_name

RUNS = Path("runs")


@dataclass(frozen=True)
class RunDirectory:
    """Paths of one run, and its small files."""

    path: Path

    @property
    def model(self) -> Path:
        return self.path / "model.safetensors"

    @property
    def checkpoint(self) -> Path:
        return self.path / "checkpoint.safetensors"

    @property
    def config(self) -> Path:
        return self.path / "config.toml"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def curves(self) -> Path:
        return self.path / "curves.png"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def cache(self) -> Path:
        """Where tokenised corpora are cached: next to the runs, which share it."""
        return self.path.parent / ".cache"

    @contextmanager
    def removed_if_empty(self) -> Iterator[None]:
        """On an error before anything has been written, leave no empty directory behind."""
        try:
            yield
        except BaseException:
            with suppress(OSError):
                self.path.rmdir()
            raise

    def write_config(self, settings: Mapping[str, Any]) -> None:
        storage.write_text(self.config, tomli_w.dumps(settings))

    def read_config(self) -> dict[str, Any]:
        """The settings of the run. Raises CharlmError if there is no run or it is damaged."""
        try:
            return tomllib.loads(self.config.read_text("utf-8"))
        except FileNotFoundError:
            raise CharlmError(
                f"{self.path} is not a run (no config.toml): nothing to resume"
            ) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise CharlmError(f"{self.config} is damaged: {error}") from None

    def write_metrics(self, rows: Sequence[Mapping[str, Any]]) -> None:
        storage.write_text(self.metrics, "".join(json.dumps(row) + "\n" for row in rows))

    def read_metrics(self, last_step: int) -> list[dict[str, Any]]:
        """The measurements up to `last_step`: later ones belong to work that will be repeated."""
        try:
            lines = self.metrics.read_text("utf-8").splitlines()
            rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
        except FileNotFoundError:
            return []
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise CharlmError(
                f"{self.metrics} is damaged: {error}; delete it to continue"
            ) from None
        if not all(isinstance(row, dict) for row in rows):
            raise CharlmError(f"{self.metrics} is damaged; delete it to continue")
        return [row for row in rows if row.get("step", 0) <= last_step]


def create(out: str | None, corpus: str) -> RunDirectory:
    """A fresh run directory: `out`, or runs/<corpus>, runs/<corpus>-2, …

    Raises CharlmError if `out` already holds a run, OSError if it cannot be created.
    """
    if out is not None:
        if not out.strip():
            raise CharlmError("`out` is empty: name a directory for the run")
        run = RunDirectory(Path(out))
        if run.config.exists() or run.model.exists():
            raise CharlmError(
                f"{out} already holds a run: choose another `out` "
                f"(or continue a training: `resume={out}`)"
            )
        if run.path.exists() and not run.path.is_dir():
            raise CharlmError(f"{out} is a file: `out` must be a directory")
        run.path.mkdir(parents=True, exist_ok=True)
        return run
    stem = corpus_name(corpus)
    for number in itertools.count(1):
        path = RUNS / (stem if number == 1 else f"{stem}-{number}")
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        return RunDirectory(path)
    raise AssertionError("unreachable")
