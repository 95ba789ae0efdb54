"""`--shard`: the work of a verb in parts, by jobs that need not know of each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import CharlmError
from .talk import note

if TYPE_CHECKING:
    from ..text.shards import Shard

ALL = "all/"
ShardOption = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="I/N",
        help="Do part I of N and write it to a file in --out, unless it is there. all/N: do the "
        "missing parts, then print the whole.",
        show_default=False,
    ),
]
ShardsOut = Annotated[
    str | None,
    typer.Option("--out", metavar="DIR", help="Directory for --shard.", show_default=False),
]
Jobs = Annotated[
    int, typer.Option("--jobs", "-j", min=1, metavar="N", help="Processes that divide the work.")
]


def check(shard: str | None, out: str | None, others: Mapping[str, bool]) -> bool:
    """Whether the work is to be done in shards; others: what cannot be, by option.

    Raises CharlmError for options that do not go together.
    """
    if shard is None:
        if out is not None:
            raise CharlmError("--out goes with --shard")
        return False
    if out is None:
        raise CharlmError("--shard writes a file for each shard: name a directory with --out")
    for name, given in others.items():
        if given:
            raise CharlmError(f"--shard does not go with {name}")
    return True


def finished(
    shard: str,
    out: str,
    suffix: str,
    about: Mapping[str, Any],
    work: Callable[[Shard], Iterable[str]],
) -> list[Path] | None:
    """Do the shards that are wanted and not there; the files of all, if all are wanted.

    about: what the work is, see `ShardFiles.opened`; work: gives the lines of a shard's file.
    """
    from ..tasks.shard_files import ShardFiles

    wanted, together = _wanted(shard)
    files = ShardFiles.opened(Path(out), suffix, {**about, "number of shards": wanted[0].number})
    there = [one for one in wanted if files.path(one).exists()]
    for one in there:
        files.check(one)
    for one in wanted:
        if one not in there:
            files.write(one, work(one))
            note(f"shard {one}: {files.path(one)}")
        elif not together:
            note(f"shard {one} is there: {files.path(one)}")
    if together and there:
        note(f"{len(there):,} of {len(wanted):,} shards were there")
    return [files.path(one) for one in wanted] if together else None


def _wanted(text: str) -> tuple[list[Shard], bool]:
    """The shards that are asked for, and whether they are to be put together."""
    from ..text.shards import Shard

    try:
        if text.startswith(ALL):
            return Shard.all(Shard.parse(text.replace(ALL, "1/", 1)).number), True
        return [Shard.parse(text)], False
    except CharlmError:
        raise CharlmError(
            f"--shard takes 3/8, the third of eight, or all/8, not {text[:20]!r}"
        ) from None


def identity(verb: str, model: str | None, text: str, options: Sequence[Any]) -> dict[str, Any]:
    """What the work of a verb is: the model, a digest of the text, the options."""
    from ..runs import locate
    from ..tasks.shard_files import likeness

    return {
        "command": verb,
        "model": likeness([locate.resolve(model)]),
        "text": text,
        "options": list(options),
    }
