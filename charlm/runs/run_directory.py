"""The run directory: its files, and how it is named.

runs/<name>/model.safetensors        the best weights on validation text; all that is needed for use
runs/<name>/checkpoint.safetensors   the latest state of training, for a bit-identical resume
runs/<name>/fallback.safetensors     the latest such state that validation found sound
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
from ..system import lock, storage
from ..system.checked import checked
from ..text.find_files import corpus_name
from .run_record import RunRecord, TrainRow, ValidRow, settings_in

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
    def fallback(self) -> Path:
        return self.path / "fallback.safetensors"

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
    def claimed(self) -> Iterator[None]:
        """Be the only process that writes to the run; what killed ones left half-written goes.

        Raises CharlmError if another one is writing to it.
        """
        with lock.held(self.path) as mine:
            if not mine:
                raise CharlmError(
                    f"{self.path} is in use: another charlm is writing to it. Wait for it, stop "
                    "it, or choose another directory"
                )
            tensors = (self.model, self.checkpoint, self.fallback)
            for file in (*tensors, self.config, self.metrics, self.curves, self.report):
                storage.sweep(file)
            yield

    def write_config(self, settings: Mapping[str, Any]) -> None:
        storage.write_text(self.config, tomli_w.dumps(settings))

    def read_config(self) -> RunRecord:
        """The settings of the run. Raises CharlmError if there is no run or it is damaged."""
        try:
            found = tomllib.loads(self.config.read_text("utf-8"))
            record = checked(found, RunRecord, "it")
            for kind, values in settings_in(record):
                kind.from_dict(values)
            return record
        except FileNotFoundError:
            raise CharlmError(
                f"{self.path} is not a run (no config.toml): nothing to resume"
            ) from None
        except (ValueError, RecursionError, CharlmError) as error:
            raise CharlmError(f"{self.config} is damaged: {error}") from None

    def write_metrics(self, rows: Sequence[Mapping[str, Any]]) -> None:
        storage.write_text(self.metrics, "".join(json.dumps(row) + "\n" for row in rows))

    def read_metrics(self, last_step: int) -> list[dict[str, Any]]:
        """The measurements up to `last_step`: later ones belong to work that will be repeated.

        Raises CharlmError if the file is damaged.
        """
        try:
            lines = self.metrics.read_text("utf-8").split("\n")
            rows = [
                _row(json.loads(line), f"line {number}")
                for number, line in enumerate(lines, 1)
                if line
            ]
        except FileNotFoundError:
            return []
        except (ValueError, RecursionError) as error:
            raise CharlmError(
                f"{self.metrics} is damaged: {error}; delete it to continue"
            ) from None
        return [row for row in rows if row["step"] <= last_step]


def _row(value: object, what: str) -> dict[str, Any]:
    """A line of metrics.jsonl, checked."""
    row = checked(value, dict[str, Any], what)
    if "valid" in row:
        valid = checked(row, ValidRow, what)
        if min(one["tokens"] for one in (valid["valid"], valid.get("kept", valid["valid"]))) < 1:
            raise ValueError(f"{what} is of a validation without a token")
    if "loss" in row or "valid" not in row:
        checked(row, TrainRow, what)
    return row


def directory_of(out: str | Path | None) -> RunDirectory:
    """Where a run named `out`, or one that will get a name, will be; nothing is made."""
    return RunDirectory(RUNS / "run" if out is None else Path(out))


@contextmanager
def created(out: str | None, corpus: str) -> Iterator[RunDirectory]:
    """A fresh run directory, claimed: `out`, or runs/<corpus>, runs/<corpus>-2, …

    On an error before anything has been written no empty directory is left behind. Raises
    CharlmError if `out` already holds a run or is being written to, OSError if it cannot be made.
    """
    run = _numbered(corpus) if out is None else _named(out)
    with run.claimed():
        _check_fresh(run)
        try:
            yield run
        except BaseException:
            with suppress(OSError):
                run.path.rmdir()
            raise


def _named(out: str) -> RunDirectory:
    if not out.strip():
        raise CharlmError("`out` is empty: name a directory for the run")
    run = RunDirectory(Path(out))
    _check_fresh(run)
    if run.path.exists() and not run.path.is_dir():
        raise CharlmError(f"{out} is a file: `out` must be a directory")
    run.path.mkdir(parents=True, exist_ok=True)
    return run


def _check_fresh(run: RunDirectory) -> None:
    """Raise CharlmError if there is a run in it."""
    if run.config.exists() or run.model.exists():
        raise CharlmError(
            f"{run.path} already holds a run: choose another `out` "
            f"(or continue a training: `resume={run.path}`)"
        )


def _numbered(corpus: str) -> RunDirectory:
    stem = corpus_name(corpus)
    for number in itertools.count(1):
        path = RUNS / (stem if number == 1 else f"{stem}-{number}")
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        return RunDirectory(path)
    raise AssertionError("unreachable")
