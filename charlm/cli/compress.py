"""`charlm compress` and `charlm decompress`: files in few bytes, with the help of a model."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from ..compression.container import SUFFIX, is_ours
from ..errors import CharlmError
from ..system import output_file
from . import show
from .options import Force, JsonOutcome, ModelPath
from .talk import note, progress_bar

if TYPE_CHECKING:
    from ..compression.files import Outcome

STANDARD = "-"

File = Annotated[
    str, typer.Argument(metavar="FILE", help="The file, or - for stdin.", show_default=False)
]
Batch = Annotated[
    int,
    typer.Option(
        min=1,
        metavar="N",
        help="Blocks computed at a time, which makes no difference to the file.",
    ),
]


def compress(
    file: File,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help=f"Where to write, or - for stdout. Default: the file's name and {SUFFIX}; from "
            "stdin to stdout.",
            show_default=False,
        ),
    ] = None,
    adapt: Annotated[
        bool, typer.Option("--adapt", help="Learn from the file, too: smaller, and slower.")
    ] = False,
    blocks: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            help="Compress this many stretches of a file side by side: faster, and a little "
            "larger; at most 4,096. 0: one for each 8 KB, up to 64.",
        ),
    ] = 0,
    batch: Batch = 512,
    with_model: Annotated[
        bool,
        typer.Option(
            "--with-model",
            help="Put the model's network into the file, its weights rounded to 6 bits.",
        ),
    ] = False,
    model: ModelPath = None,
    force: Force = False,
    json: JsonOutcome = False,
) -> None:
    r"""Compress a file with a model: the better it predicts, the smaller.

    Any file can be compressed, and is read back byte for byte; one that the model does not fit is
    compressed without it. To read it back, the same model is needed.

    \b
    charlm compress novel.txt
    charlm compress novel.txt --adapt --blocks 1
    charlm compress novel.txt --with-model
    cat novel.txt | charlm compress - > novel.txt.charlm
    """
    target = _target(file, out, f"{file}{SUFFIX}", json=json)
    from ..compression import files
    from ..runs import locate

    path = locate.resolve(model)
    if target != STANDARD:
        output_file.check(Path(target), is_ours, force=force)
        output_file.check_apart(Path(target), [file, path])
    with _source(file) as (source, size), _written(target) as result, _bar(file, size) as progress:
        outcome = files.compress(
            source,
            result,
            path,
            adapt=adapt,
            blocks=blocks,
            batch=batch,
            with_model=with_model,
            progress=progress,
        )
    if outcome.is_part:
        note(f"only a part of the model is in the file, and used: {outcome.model}")
    _report(outcome, target, json=json)


def decompress(
    file: File,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help=f"Where to write, or - for stdout. Default: the file's name without {SUFFIX}; "
            "from stdin to stdout.",
            show_default=False,
        ),
    ] = None,
    batch: Batch = 512,
    model: ModelPath = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
    json: JsonOutcome = False,
) -> None:
    r"""Read back a file that `charlm compress` wrote.

    It must be the very model that it was compressed with, unless that is in the file.

    \b
    charlm decompress novel.txt.charlm
    charlm decompress - < novel.txt.charlm > novel.txt
    """
    if out is None and file != STANDARD and not file.endswith(SUFFIX):
        raise CharlmError(f"{file} does not end with {SUFFIX}: say with --out what to write")
    target = _target(file, out, file.removesuffix(SUFFIX), json=json)
    from ..compression import files
    from ..runs import locate

    if target != STANDARD:
        output_file.check_new(Path(target), [file], force=force)

    def find() -> Path:
        try:
            path = locate.resolve(model)
            if target != STANDARD:
                output_file.check_apart(Path(target), [path])
        except CharlmError as error:
            raise _NoModelError(str(error)) from None
        return path

    with _source(file) as (source, size), _written(target) as result, _bar(file, size) as progress:
        try:
            outcome = files.decompress(source, result, find, batch=batch, progress=progress)
        except _NoModelError:
            raise
        except CharlmError as error:
            raise CharlmError(f"{'stdin' if file == STANDARD else file}: {error}") from None
    _report(outcome, target, json=json)


class _NoModelError(CharlmError):
    """The model is at fault, not the file."""


def _target(file: str, out: str | None, default: str, *, json: bool) -> str:
    if out == "":
        raise CharlmError("`out` is empty: name a file")
    if file != STANDARD and Path(file).is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), file)
    target = out or (STANDARD if file == STANDARD else default)
    if target == STANDARD and json:
        raise CharlmError("the result and --json would both go to stdout: name a file with `out`")
    if target == STANDARD and show.is_terminal(sys.stdout):
        raise CharlmError("the result would go to the terminal: say with `out` where to write it")
    if target == STANDARD and sys.stdout.name == os.devnull:  # see app.main
        raise CharlmError("stdout is closed: say with `out` where to write the result")
    return target


@contextmanager
def _source(file: str) -> Iterator[tuple[BinaryIO, int]]:
    """The file, and how long it is; 0 if nobody knows."""
    if file == STANDARD:
        if sys.stdin is None:
            raise CharlmError("stdin is closed: name a file")
        yield sys.stdin.buffer, 0
        return
    with Path(file).open("rb") as source:
        yield source, Path(file).stat().st_size


@contextmanager
def _written(target: str) -> Iterator[BinaryIO]:
    if target == STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with output_file.writing(Path(target)) as result:
        yield result


@contextmanager
def _bar(file: str, size: int) -> Iterator[Callable[[float], None]]:
    """A progress bar that is told how many bytes of a file are done."""
    with progress_bar(file) as report:
        yield lambda done: report(min(1.0, done / size)) if size else None


def _report(outcome: Outcome, target: str, *, json: bool) -> None:
    """Say what was done; where stdout has the result, on stderr."""
    if json:
        show.emit_json({**outcome.as_dict(), "file": target})
        return
    ratio = (
        f"{show.size(outcome.bytes)} in {show.size(outcome.compressed)}, "
        f"{outcome.bits_per_byte:.3f} bits per byte"
    )
    if target == STANDARD:
        note(ratio)
        return
    show.pairs([("file", target), ("size", ratio), ("model", outcome.model)])
