"""The directory that an estimate works in: which passes are finished, and how far the others are.

A pass whose results are on the disk is recorded, so that the same estimate, begun again after it
was stopped in any way, goes on with the next one.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import CharlmError
from ...system import lock, storage

Progress = Callable[[float], None]

WAIT_SECONDS = 0.1


@dataclass
class Workplace:
    """Passes over columns in a directory. Its record has the result of each finished pass."""

    directory: Path
    progress: Progress
    results: dict[str, Any] = field(default_factory=dict)
    work: dict[str, float] = field(default_factory=dict)  # how much each pass is, by name
    reported: float = 0.0  # at most: as more is known, passes may turn out to be more work

    def run(self, name: str, work: Callable[[Progress], Any]) -> Any:
        """The result of the pass `name`, done now unless it was done before; JSON."""
        if name not in self.results:
            result = work(lambda done: self._report(name, done))
            self.results[name] = result
            storage.write_text(self.directory / "passes.json", json.dumps(self.results))
        self._report(name, 1.0)
        return self.results[name]

    def _report(self, name: str, done: float) -> None:
        total = sum(self.work.values())
        finished = sum(self.work.get(other, 0.0) for other in self.results if other != name)
        if total:
            fraction = (finished + done * self.work.get(name, 0.0)) / total
            self.reported = max(self.reported, min(1.0, fraction))
            self.progress(self.reported)


@contextmanager
def opened(
    directory: Path, settings: Mapping[str, Any], progress: Progress, *, patience: float = 0.0
) -> Iterator[Workplace]:
    """The workplace in `directory`, for nobody else meanwhile; what other settings left is removed.

    patience: seconds to wait for another process that works there. Raises CharlmError if it does
    so for longer, and if nothing differs but the memory: what is there is not thrown away for that.
    """
    with _held(directory, patience):
        record, about = directory / "passes.json", directory / "settings.json"
        found: Any = {}
        results: dict[str, Any] = {}
        try:
            found = dict(json.loads(about.read_bytes()))
            results = dict(json.loads(record.read_bytes())) if record.exists() else {}
        except (OSError, ValueError, TypeError):
            found = {}  # damaged: what is there is of no use
        same = found == dict(settings)
        if not same and results and found == {**settings, "memory": found.get("memory")}:
            raise CharlmError(
                f"{directory} has what was counted with `memory={_amount(found['memory'])}`: give "
                "the same to go on, or remove it"
            )
        if not same:
            results = {}
            for path in directory.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            storage.write_text(about, json.dumps(dict(settings)))
        storage.sweep_old(directory.glob(".*.tmp"))  # younger ones may be of other shards
        yield Workplace(directory, progress, results)


@contextmanager
def _held(directory: Path, patience: float) -> Iterator[None]:
    """Hold the lock of a directory, made if need be, waiting for it so many seconds."""
    until = time.monotonic() + patience
    while True:
        directory.mkdir(parents=True, exist_ok=True)
        with lock.held(directory) as mine:
            if mine:
                yield
                return
        if time.monotonic() > until:
            raise CharlmError(f"{directory} is in use: another charlm counts the same text there")
        time.sleep(WAIT_SECONDS)


def _amount(memory: Any) -> str:
    """An amount as it may be given: 200M, or a number of bytes."""
    whole = isinstance(memory, int) and memory % (1 << 20) == 0
    return f"{memory >> 20}M" if whole else str(memory)
