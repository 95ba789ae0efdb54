"""Two nearly equal texts: where they differ, and the words around that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

REACH = 60  # characters kept on either side


def marked(text: str, other: str, reach: int = REACH) -> str:
    """`text` with what differs from `other` in brackets, cut to what is around it.

    Words are compared, or characters where there are no spaces.

    >>> marked("the keys to the cabinet is here", "the keys to the cabinet are here", 16)
    '… to the cabinet [is] here'
    """
    if text == other:
        return _cut_end(text, 2 * reach)
    gap = " " if " " in text.strip() or " " in other.strip() else ""
    one, two = (t.split(" ") if gap else list(t) for t in (text, other))
    first, last = common_ends(one, two)
    before, differing, after = one[:first], one[first : len(one) - last], one[len(one) - last :]
    left, right = gap.join(before), gap.join(after)
    middle = f"[{_cut_end(gap.join(differing), 2 * reach)}]"
    parts = _cut_start(left, reach), middle, _cut_end(right, reach)
    return gap.join(part for part in parts if part)


def common_ends(one: Sequence[T], other: Sequence[T]) -> tuple[int, int]:
    """How many items two sequences share at their beginnings, and then at their ends."""
    short = min(len(one), len(other))
    first = next((k for k in range(short) if one[k] != other[k]), short)
    rest = short - first
    last = next((k for k in range(rest) if one[-1 - k] != other[-1 - k]), rest)
    return first, last


def _cut_start(text: str, room: int) -> str:
    if len(text) <= room:
        return text
    kept = text[-room:]
    return "… " + (kept[kept.index(" ") + 1 :] if " " in kept[:-1] else kept)


def _cut_end(text: str, room: int) -> str:
    if len(text) <= room:
        return text
    kept = text[:room]
    return (kept[: kept.rindex(" ")] if " " in kept[1:] else kept) + " …"
