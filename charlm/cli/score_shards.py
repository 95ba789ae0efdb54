"""`charlm score --shard`: a file of scores for each part of a text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..display.delimited import delimited
from ..errors import CharlmError, require
from ..text.shards import Shard, shared
from ..text.stimuli import Stimulus, is_table, read_stimuli
from . import shards, show
from .talk import note

if TYPE_CHECKING:
    from ..text.source import TextSource

AT_ONCE = 100_000  # sentences of a shard in memory
SUFFIXES = {"--tsv": ".tsv", "--csv": ".csv", "--json": ".jsonl"}

Rows = Callable[[Sequence[Stimulus], str], Iterable[Mapping[str, Any]]]  # and which part they are


def check(
    shard: str | None,
    out: str | None,
    formats: Sequence[str],
    file: str | None,
    others: Mapping[str, bool],
) -> bool:
    """Whether sentences are to be scored in shards. Raises CharlmError as `shards.check` does."""
    if not shards.check(shard, out, {**others, "--parquet": "--parquet" in formats}):
        return False
    if file is None:
        raise CharlmError("--shard is for the sentences of a file: name it with --file")
    if not formats:
        raise CharlmError("--shard writes --tsv, --csv or --json: choose one")
    return True


def run(
    source: TextSource,
    form: str,
    rows_of: Rows,
    longest: int,
    *,
    stream: bool,
    shard: str,
    out: str,
    about: Mapping[str, Any],
) -> None:
    """Write the files of the shards that are wanted; print all, if all are.

    form: the option for it, of SUFFIXES; rows_of: gives the rows of some sentences, at least one;
    stream: each sentence follows those before it, so that all of a shard are scored at once.
    """

    def lines(one: Shard) -> Iterator[str]:
        empty = 0

        def given() -> Iterator[Stimulus]:
            nonlocal empty
            for each in _stimuli(source, one, longest):
                if each.text.strip():
                    yield each
                else:
                    empty += 1

        stimuli, part = given(), f", shard {one}"
        blocks = iter(lambda: list(islice(stimuli, None if stream else AT_ONCE)), [])
        rows = chain.from_iterable(rows_of(block, part) for block in blocks)
        if form == "--json":
            yield from map(show.json_text, rows)
        elif first := next(rows, None):
            names = list(first)
            require("\n" not in "".join(names), "--shard: the name of a column has a line break")
            table = ([row.get(name) for name in names] for row in chain([first], rows))
            yield from delimited(names, table, "," if form == "--csv" else "\t")
        if empty:
            note(f"{show.count(empty, 'empty line')} skipped")

    files = shards.finished(shard, out, SUFFIXES[form], about, lines)
    if files is None:
        return
    if not any(path.stat().st_size for path in files):
        raise CharlmError(f"{source.name} has only empty lines: there is nothing to score")
    for line in _joined(files, headed=form != "--json"):
        show.line(line)


def _stimuli(source: TextSource, shard: Shard, longest: int) -> Iterator[Stimulus]:
    """The sentences of a shard, each with its line in the whole file."""
    if is_table(source):
        yield from shard.of(list(read_stimuli(source, longest)))
        return
    with shared(source, shard) as (part, before):
        for one in read_stimuli(part, longest):
            yield replace(one, line=one.line + before)


def _joined(files: Iterable[Path], *, headed: bool) -> Iterator[str]:
    """The lines of files, one after another, with the first line of all of them once, if headed.

    Raises CharlmError if they differ in it.
    """
    heading = None
    for path in files:
        with path.open(encoding="utf-8", newline="\n") as file:
            if headed and (first := file.readline()):
                if heading is None:
                    yield first.removesuffix("\n")
                require(heading in (None, first), f"{path} has other columns than the others")
                heading = first
            for line in file:
                yield line.removesuffix("\n")
