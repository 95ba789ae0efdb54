"""Read text files as one text, in chunks of bounded size, whatever their length or encoding.

They may be compressed (`unpack`), and hold records of which one field is the text (`records`).

Only the newline (U+000A) ends a line. Every other Unicode separator (form feed,
U+2028, …) is an ordinary character.
"""

from __future__ import annotations

import codecs
import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from pathlib import Path
from typing import TypeAlias, TypedDict

from ..errors import CharlmError
from .decoding import nul_error, nul_is_wrong, undecodable
from .find_files import find_files, in_directories
from .parquet import open_parquet
from .records import CSV, JSON, PARQUET, TSV, Extracted, format_of, from_json, from_table
from .spool import readable
from .unpack import Stream, is_compressed, open_bytes

CHUNK_BYTES = 1 << 16  # read at a time, small enough to stay in the processor's cache
MAX_LINE = 1 << 24  # characters
CUT_REACH = 1 << 16  # characters: how far a split point may move to reach a line end
DECODE_ERRORS = ("strict", "replace", "ignore", "backslashreplace", "surrogateescape")

FractionCallback: TypeAlias = Callable[[float], None]  # called with the fraction done, 0 to 1


class Reading(TypedDict, total=False):
    """How files become text: what `open_text` takes, as keywords to be passed on."""

    encoding: str
    errors: str
    field: str | None
    column: str | int | None


@dataclass(frozen=True)
class TextSource:
    """One or several text files, read as one text in chunks of bounded size.

    Compressed ones are unpacked as they are read. Where `field` is given, JSON lines give the text
    in it, and where `column` is, CSV and TSV files that in theirs; Parquet always gives a column.

    CR LF becomes a newline, a byte order mark is dropped, and each file's last line is closed by
    a newline so that files never run together. With `raw` the bytes stay as they are (only the
    closing newline is added); those that are not UTF-8 become lone surrogates, which `utf8`
    turns back into bytes.
    """

    paths: tuple[Path, ...]
    encoding: str = "utf-8"
    errors: str = "strict"  # what to do about undecodable bytes: one of DECODE_ERRORS
    raw: bool = False
    name: str = ""  # for display; empty = the first file's name
    field: str | None = None  # of JSON lines, with dots for fields of fields
    column: str | None = None  # of tables: its name, or its number from 1
    left_out: tuple[Path, ...] = ()  # files in the directories given that are no text
    _sizes: dict[Path, int] = attribute(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.name and self.paths:
            object.__setattr__(self, "name", self.paths[0].name)

    @property
    def size(self) -> int:
        """Bytes of all files together, unpacked; of records, of their texts in UTF-8.

        The first time a compressed file or one of records is asked for, it is read to the end,
        unless `sha256` has done so.
        """
        return sum(map(self._size, self.paths))

    @property
    def is_empty(self) -> bool:
        """Whether there is not a single byte."""
        return not any(map(self._begins, self.paths))

    def for_level(self, level: str) -> TextSource:
        """The same files as a tokenizer of this level reads them: raw for "byte"."""
        if level != "byte":
            return self
        return replace(self, encoding="utf-8", errors="surrogateescape", raw=True, _sizes={})

    def chunks(
        self, chunk_bytes: int = CHUNK_BYTES, progress: FractionCallback | None = None
    ) -> Iterator[str]:
        """The text in order, in non-empty chunks of about `chunk_bytes` bytes each.

        Raises CharlmError, naming file and byte, if the text does not decode or contains a NUL.
        """
        for text, _ in self._pieces(chunk_bytes, 0, progress):
            yield text

    def split_chunks(
        self,
        fraction: float,
        chunk_bytes: int = CHUNK_BYTES,
        progress: FractionCallback | None = None,
    ) -> Iterator[tuple[str, bool]]:
        """The text as (chunk, whether it comes after the cut).

        The cut is at `fraction` of the bytes, moved forward to the next line end, or failing
        that back to the last one, if there is one within CUT_REACH characters that leaves text
        on both sides; else it is exactly there.
        """
        before, after, done = "", "", False
        for text, past in self._pieces(chunk_bytes, int(self.size * fraction), progress):
            if done:
                yield text, True
            elif past:
                after += text
                if len(after) > CUT_REACH:
                    yield from _cut(before, after)
                    done = True
            else:
                before += text
                if len(before) > 2 * CUT_REACH:
                    yield before[:-CUT_REACH], False
                    before = before[-CUT_REACH:]
        if not done:
            yield from _cut(before, after)

    def sha256(self, progress: FractionCallback | None = None) -> str:
        """Hex digest of the bytes; for several files, the digest of their joined hex digests.

        The bytes are those of `size`: the same text has the same digest, compressed or not.
        """
        total, before, digests = max(1, self._stored()), 0, []
        for path in self.paths:
            digest, size = hashlib.sha256(self._salt(path)), 0
            with self._open(path) as file:
                while block := file.read(CHUNK_BYTES):
                    digest.update(block)
                    size += len(block)
                    if progress:
                        progress(min(1.0, (before + file.tell()) / total))
            before += path.stat().st_size
            self._sizes[path] = size
            digests.append(digest.hexdigest())
        if progress:
            progress(1.0)
        joined = "".join(digests).encode()
        return digests[0] if len(digests) == 1 else hashlib.sha256(joined).hexdigest()

    def _pieces(
        self, chunk_bytes: int, cut: int, progress: FractionCallback | None
    ) -> Iterator[tuple[str, bool]]:
        """All text as (chunk, whether its bytes are at or after `cut`)."""
        total = max(1, self._stored()) if progress else 1
        before = stored = 0
        for path in self.paths:
            last, start = "\n", 0
            for text, start, file in self._decode(path, chunk_bytes, cut - before):
                if progress:
                    progress(min(1.0, (stored + file.tell()) / total))
                if text:
                    last = text[-1]
                    yield text, before + start >= cut
            before += start
            stored += path.stat().st_size if progress else 0
            if last != "\n":
                yield "\n", before > cut
        if progress:
            progress(1.0)

    def _decode(self, path: Path, chunk_bytes: int, cut: int) -> Iterator[tuple[str, int, Stream]]:
        """One file's text with the byte offset where each block began; no block crosses `cut`.

        With them comes the open file, which can tell how much of it has been read.
        """
        encoding = "utf-8" if self._format(path) else self.encoding
        decoder = codecs.getincrementaldecoder(encoding)(self.errors)
        reject_nul = not self.raw and nul_is_wrong(encoding)
        at, block, held = self._first(path), b"-", ""
        opening = not self.raw and not at
        with self._open(path) as file:
            while block:
                block = file.read(min(chunk_bytes, cut - at) if at < cut else chunk_bytes)
                if reject_nul and b"\0" in block:
                    raise nul_error(path, at + block.index(0))
                try:
                    text = held + decoder.decode(block, not block)
                except UnicodeError as error:
                    raise undecodable(path, encoding, at + len(block), error) from None
                if opening and text:
                    opening = False
                    text = text.removeprefix("\ufeff")
                if not self.raw:
                    held = "\r" if block and text.endswith("\r") else ""
                    text = text.removesuffix(held)
                    text = text.replace("\r\n", "\n") if "\r" in text else text
                yield text, at, file
                at += len(block)

    @contextmanager
    def _open(self, path: Path) -> Iterator[Stream]:
        """The bytes of a file's text: as they stand in it, or as they come out of it."""
        kind = self._format(path)
        if kind == PARQUET:
            with open_parquet(path, self.column) as stream:
                yield stream
            return
        with open_bytes(path) as stream:
            if kind == JSON:
                texts = from_json(path, stream, self.field or "", self.encoding, self.errors)
            elif kind is not None:
                column = self.column or ""
                texts = from_table(path, stream, kind, column, self.encoding, self.errors)
            yield Extracted(texts, stream.tell) if kind else stream

    def _format(self, path: Path) -> str | None:
        """The format of a file of records; None: it is read as it stands."""
        kind = format_of(path.name)
        wanted = {JSON: self.field is not None, PARQUET: True}
        return kind if kind and wanted.get(kind, self.column is not None) else None

    def _size(self, path: Path) -> int:
        if not self._format(path) and not is_compressed(path):
            return path.stat().st_size
        if path not in self._sizes:
            with self._open(path) as file:
                self._sizes[path] = sum(map(len, iter(lambda: file.read(CHUNK_BYTES), b"")))
        return self._sizes[path]

    def _first(self, path: Path) -> int:
        return 0  # the byte that its text begins at

    def _begins(self, path: Path) -> bytes:
        with self._open(path) as file:
            return file.read(CHUNK_BYTES)

    def _stored(self) -> int:
        """Bytes of all files as they are on disk."""
        return sum(path.stat().st_size for path in self.paths)

    def _salt(self, path: Path) -> bytes:
        """What tells a digest of extracted UTF-8 from that of a file in another encoding."""
        same = not self._format(path) or codecs.lookup(self.encoding).name == "utf-8"
        return b"" if same else b"UTF-8 of records: "


def _cut(before: str, after: str) -> Iterator[tuple[str, bool]]:
    """Both sides of the cut of `TextSource.split_chunks`, with the text within its reach."""
    text, at = before + after, len(before)
    forward = text.find("\n", max(0, at - 1), at + CUT_REACH) + 1
    if not 0 < forward < len(text):
        forward = text.rfind("\n", max(0, at - CUT_REACH), at) + 1
    cut = forward or max(1, at)
    if text[:cut]:
        yield text[:cut], False
    if text[cut:]:
        yield text[cut:], True


def open_text(
    paths: Sequence[str | os.PathLike[str]],
    encoding: str = "utf-8",
    errors: str = "strict",
    spool: Path = Path("cache/stdin"),
    *,
    field: str | None = None,
    column: str | int | None = None,
    mixed: bool = False,
) -> TextSource:
    """Check that the files exist and are readable; their contents are checked while reading.

    Directories and patterns stand for the files in them, see `find_files`; of what is in
    directories, files with a NUL in their first bytes are left out. ``-`` is standard input. It,
    and anything else that can be read only once (a named pipe), is first copied to a file named by
    its content in the directory `spool`, so that a later run can find it again. field, column: of
    files of records, see `TextSource`; without `mixed` there must be some that they are of.
    Raises CharlmError naming the file and the remedy.
    """
    try:
        codecs.getincrementaldecoder(encoding)
        "\n".encode(encoding)
    except (LookupError, ValueError):
        raise CharlmError(
            f"unknown encoding {encoding!r}: choose utf-8, latin-1, utf-16, gb18030, …"
        ) from None
    if errors not in DECODE_ERRORS:
        raise CharlmError(f"unknown errors value {errors!r}: choose {' | '.join(DECODE_ERRORS)}")
    if not paths:
        raise CharlmError("no text given. Name a file, or - for standard input.")
    names = [os.fspath(path) for path in paths]
    if names.count("-") > 1:
        raise CharlmError("standard input can be read only once: give - only once.")
    piped = ".jsonl" if field is not None else ".csv" if column is not None else ".txt"
    source = TextSource(
        tuple(readable(name, spool, piped) for name in find_files(names)),
        encoding,
        errors,
        name="stdin" if names[0] == "-" else Path(names[0]).name,
        field=field,
        column=None if column is None else str(column),
    )
    source = _without_binaries(source, in_directories(names))
    if not mixed:
        _refuse_unused(source)
    if source.is_empty:
        raise no_text(source.name, "0 bytes")
    return source


@contextmanager
def temporary_spool() -> Iterator[Path]:
    """A temporary directory to spool to; errors raised meanwhile say "stdin", not the copy."""
    with tempfile.TemporaryDirectory(prefix="charlm-") as directory:
        try:
            yield Path(directory)
        except CharlmError as error:  # the user knows nothing of the copy
            named = re.sub(re.escape(directory) + r"\S+\.\w+", "stdin", str(error))
            raise CharlmError(named) from None


def lines_of(source: TextSource, longest: int = MAX_LINE) -> Iterator[str]:
    """The lines of a text, without their newlines.

    Raises CharlmError for a line of more than `longest` characters: a small file can unpack to one
    that memory does not hold.
    """
    partial: list[str] = []
    chars, number = 0, 1
    for chunk in source.chunks():
        first, *others = chunk.split("\n")
        partial.append(first)
        chars += len(first)
        if chars > longest:
            raise CharlmError(
                f"line {number:,} of {source.name} has more than {longest:,} characters"
            )
        if others:
            yield "".join(partial)
            yield from others[:-1]
            partial, chars, number = [others[-1]], len(others[-1]), number + len(others)
    if last := "".join(partial):
        yield last


@contextmanager
def open_lines(
    path: str | os.PathLike[str],
    encoding: str = "utf-8",
    errors: str = "strict",
    level: str = "char",
) -> Iterator[tuple[str, Iterator[str]]]:
    """The name of a file for messages, and its lines as a tokenizer of `level` reads them.

    "-" is standard input. Raises CharlmError as `open_text`, and for Parquet, which has no lines.
    """
    with temporary_spool() as spool:
        source = open_text([path], encoding, errors, spool).for_level(level)
        if PARQUET in map(format_of, map(str, source.paths)):
            raise CharlmError(f"{source.name} is Parquet: give tab-separated values or JSON lines")
        yield ("stdin" if path == "-" else os.fspath(path)), lines_of(source)


def no_text(name: str, amount: str) -> CharlmError:
    """The error for a text that is empty, or blank."""
    return CharlmError(f"{name} holds no text ({amount}). Give a file with some text in it.")


def _without_binaries(source: TextSource, found: set[str]) -> TextSource:
    """The source without those of the files `found` in directories that are evidently no text."""
    if not nul_is_wrong(source.encoding):
        return source
    left_out = [
        path
        for path in source.paths
        if str(path) in found and not source._format(path) and b"\0" in source._begins(path)
    ]
    if len(left_out) == len(source.paths):
        return source
    kept = tuple(path for path in source.paths if path not in left_out)
    return replace(source, paths=kept, left_out=tuple(left_out))


def _refuse_unused(source: TextSource) -> None:
    """Raise CharlmError where a field or column is asked for and no file can have it."""
    formats = {format_of(path.name) for path in source.paths}
    if source.field is not None and JSON not in formats:
        raise CharlmError(
            f"`field` applies only to JSON lines (.jsonl, .ndjson): there are none in {source.name}"
        )
    if source.column is not None and not formats & {CSV, TSV, PARQUET}:
        raise CharlmError(
            "`column` applies only to tables (.csv, .tsv, .parquet): "
            f"there are none in {source.name}"
        )
