"""`charlm compare --pairs`: two models on the same minimal pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import show
from .open_files import count_unknown, note_unknown, only_once
from .talk import note, progress_bar

if TYPE_CHECKING:
    from ..model.model import Model
    from ..tasks.compare_pairs import Group


def compare_pairs(
    models: Sequence[Model],
    files: list[str],
    by: str | None,
    *,
    text: str | None,
    skip_oov: bool,
    encoding: str,
    errors: str,
    as_json: bool,
) -> None:
    """Read the pairs, compare, print."""
    from ..tasks.compare_pairs import compare_pairs as compare
    from ..tasks.pair_files import collect

    only_once(*files, text)
    levels = {one.tokenizer.level for one in models}
    level = levels.pop() if len(levels) == 1 else "char"
    collected = collect(files, by, text=text, level=level, encoding=encoding, errors=errors)
    with progress_bar(f"scoring {show.count(len(collected), 'pair')}"):
        pairs = [(one.lm, one.tokenizer) for one in models]
        found = compare(pairs, collected, skip_oov=skip_oov)
    if found.skipped:
        total = len(found.first) + found.skipped
        note(f"{found.skipped:,} of {show.count(total, 'pair')} left out for unknown words")
    kept = [one.pair for one in found.first]
    for model in models:
        texts = (text for pair in kept for text in (pair.good, pair.bad))
        note_unknown(*count_unknown(model, texts), name=model.info["path"])
    if as_json:
        show.emit_json({"models": [one.info["path"] for one in models], **found.as_dict()})
        return
    groups = found.by_phenomenon
    named = groups if len(groups) > 1 or "" not in groups else {}
    heads = ["", "pairs", "A right", "B right", "undecided", "only A", "only B", "p"]
    rows = [heads]
    rows += [_row(name or "(none)", group) for name, group in named.items()]
    rows.append(_row("all", found.overall))
    *lines, last = show.columns(rows, "<>>>>>>>")
    for k, line in enumerate(lines):
        show.line(line, "" if k else "dim")
    show.line(last, "bold")
    for letter, one in zip("AB", models, strict=True):
        show.line(f"{letter}  {one.info['path']}", "dim")


def _row(name: str, group: Group) -> list[str]:
    return [
        name,
        f"{group.first.total:,}",
        f"{group.first.rate:.1%}",
        f"{group.second.rate:.1%}",
        f"{group.first.undecided:,} · {group.second.undecided:,}",
        f"{group.only_first:,}",
        f"{group.only_second:,}",
        "< 0.0001" if group.p < 1e-4 else f"{group.p:.4f}",
    ]
