"""Progress callbacks of experiments, and splitting one between several parts of the work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

Progress: TypeAlias = Callable[[float], None]  # called with the fraction done, 0 to 1


def split_progress(progress: Progress | None, parts: Sequence[float]) -> Iterator[Progress]:
    """A callback for each part of the work, which reports the fraction of the whole."""
    before, whole = 0.0, sum(parts)
    for part in parts:

        def report(fraction: float, before: float = before, part: float = part) -> None:
            if progress is not None:
                progress((before + fraction * part) / whole)

        yield report
        before += part
