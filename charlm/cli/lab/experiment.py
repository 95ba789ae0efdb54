"""Shared parts of experiments: opening the training text, and writing the picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, Unpack

from ...cli import show
from ...config import CELLS, TokenizerConfig
from ...display.charts import Panel, png
from ...errors import CharlmError, require
from ...system.output_file import is_among, writing
from ..talk import note, progress_bar
from .options import Languages, Levels

if TYPE_CHECKING:
    from ...text.corpus import Corpus
    from ...text.source import Reading


class Finding(Protocol):
    """The result of an experiment."""

    def as_dict(self) -> dict[str, Any]: ...
    def panels(self) -> Sequence[Panel]: ...


AnyFinding = TypeVar("AnyFinding", bound=Finding)


def refuse_inputs(out: Path, *files: str | Path) -> None:
    """Raise CharlmError if --out names one of the files that the experiment reads."""
    if is_among(out, files):
        raise CharlmError(f"{out} is one of the files to read: name another with --out")


@contextmanager
def training_on(
    corpus: str, level: Levels, out: Path, doing: str, **how: Unpack[Reading]
) -> Iterator[tuple[Corpus, Callable[[float], None]]]:
    """The tokens of a training text, and a progress callback.

    Words must occur at least three times, for speed. Raises CharlmError if `out` is the text
    itself, and for an unusable text.
    """
    from ...lab.learn import corpus_of

    refuse_inputs(out, corpus)
    tokens = TokenizerConfig(level=level.value)
    if level is Levels.word:
        tokens = TokenizerConfig(level="word", split="unicode", min_count=3)
    with corpus_of(corpus, tokens, **how) as text, progress_bar(doing) as progress:
        yield text, progress


def cells_of(names: str) -> list[str]:
    """The cells of --cells, each once. Raises CharlmError for an unknown one."""
    cells = list(dict.fromkeys(name.strip() for name in names.split(",")))
    for cell in cells:
        require(cell in CELLS, f"unknown cell {cell!r}: choose {' | '.join(CELLS)}")
    return cells


def conclude(
    found: AnyFinding,
    json: bool,
    print_finding: Callable[[AnyFinding], None],
    out: Path,
    lang: Languages,
    columns: int = 1,
) -> None:
    """Print the finding, or its numbers as JSON, and write its picture to --out.

    lang: the language of the picture.
    """
    from ...lab.chinese import fonts_for, translated

    if json:
        show.emit_json(found.as_dict())
    else:
        print_finding(found)
    experiment = type(found).__module__.rpartition(".")[2]
    picture = png(translated(found.panels(), lang, experiment), columns, fonts_for(lang))
    with writing(out) as file:
        file.write(picture)
    note(f"picture: {out}")


def short(value: float) -> str:
    """A number of any size in few columns: 0.50, 0.013, 2e-8."""
    if value == 0 or 0.095 <= abs(value) < 1e4 or not math.isfinite(value):
        return show.number(value)
    if 0.00095 <= abs(value) < 1:
        return f"{value:.3f}"
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}"
