"""How much of an experiment is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

Progress: TypeAlias = Callable[[float], None]  # hears of the share done, 0 to 1


def shares(progress: Progress | None, parts: Sequence[float]) -> Iterator[Progress]:
    """For each part of the work, in proportion, what passes on the share of the whole."""
    before, whole = 0.0, sum(parts)
    for part in parts:

        def told(share: float, before: float = before, part: float = part) -> None:
            if progress is not None:
                progress((before + share * part) / whole)

        yield told
        before += part
