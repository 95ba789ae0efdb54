"""Read text files as one text, in chunks of bounded size, whatever their length or encoding.

Only the newline (U+000A) ends a line. Every other Unicode separator (form feed,
U+2028, …) is an ordinary character.
"""

from __future__ import annotations

import codecs
import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, TypeAlias

from ..errors import CharlmError

CHUNK_BYTES = 1 << 16  # read at a time, small enough to stay in the processor's cache
CUT_REACH = 1 << 16  # characters: how far a split point may move to reach a line end
DECODE_ERRORS = ("strict", "replace", "ignore", "backslashreplace", "surrogateescape")

FractionCallback: TypeAlias = Callable[[float], None]  # called with the fraction done, 0 to 1


@dataclass(frozen=True)
class TextSource:
    """One or several text files, read as one text in chunks of bounded size.

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

    def __post_init__(self) -> None:
        if not self.name and self.paths:
            object.__setattr__(self, "name", self.paths[0].name)

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(path.stat().st_size for path in self.paths)

    def for_level(self, level: str) -> TextSource:
        """The same files as a tokenizer of this level reads them: raw for "byte"."""
        if level != "byte":
            return self
        return replace(self, encoding="utf-8", errors="surrogateescape", raw=True)

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
        """Hex digest of the bytes; for several files, the digest of their joined hex digests."""
        total, done, digests = max(1, self.size), 0, []
        for path in self.paths:
            digest = hashlib.sha256()
            with path.open("rb") as file:
                while block := file.read(CHUNK_BYTES):
                    digest.update(block)
                    done += len(block)
                    if progress:
                        progress(min(1.0, done / total))
            digests.append(digest.hexdigest())
        return digests[0] if len(digests) == 1 else _hex("".join(digests).encode())

    def _pieces(
        self, chunk_bytes: int, cut: int, progress: FractionCallback | None
    ) -> Iterator[tuple[str, bool]]:
        """All text as (chunk, whether its bytes are at or after `cut`)."""
        total, before = max(1, self.size), 0
        for path in self.paths:
            last, start = "\n", 0
            for text, start in self._decode(path, chunk_bytes, cut - before):
                if progress:
                    progress(min(1.0, (before + start) / total))
                if text:
                    last = text[-1]
                    yield text, before + start >= cut
            before += start
            if last != "\n":
                yield "\n", before > cut
        if progress:
            progress(1.0)

    def _decode(self, path: Path, chunk_bytes: int, cut: int) -> Iterator[tuple[str, int]]:
        """One file's text with the byte offset where each block began; no block crosses `cut`."""
        decoder = codecs.getincrementaldecoder(self.encoding)(self.errors)
        reject_nul = not self.raw and "\n".encode(self.encoding) == b"\n"
        at, block, held, opening = 0, b"-", "", not self.raw
        with path.open("rb") as file:
            while block:
                block = file.read(min(chunk_bytes, cut - at) if at < cut else chunk_bytes)
                if reject_nul and b"\0" in block:
                    raise CharlmError(
                        f"{path} holds a NUL at byte {at + block.index(0):,}: it looks like UTF-16 "
                        "or binary. Try `encoding=utf-16`; a model of `level=byte` reads any file."
                    )
                try:
                    text = held + decoder.decode(block, not block)
                except UnicodeError as error:
                    raise self._undecodable(path, at + len(block), error) from None
                if opening and text:
                    opening = False
                    text = text.removeprefix("\ufeff")
                if not self.raw:
                    held = "\r" if block and text.endswith("\r") else ""
                    text = text.removesuffix(held)
                    text = text.replace("\r\n", "\n") if "\r" in text else text
                yield text, at
                at += len(block)

    def _undecodable(self, path: Path, end: int, error: UnicodeError) -> CharlmError:
        where = ""
        if isinstance(error, UnicodeDecodeError):
            at = end - len(error.object) + error.start
            where = f" at byte {at:,} (0x{error.object[error.start]:02X})"
        other = "latin-1" if self.encoding.lower().startswith("utf") else "utf-8"
        return CharlmError(
            f"{path} is not valid {self.encoding}{where}. "
            f"Try `encoding={other}`, or `errors=replace` to put U+FFFD there."
        )


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
) -> TextSource:
    """Check that the files exist and are readable; their contents are checked while reading.

    ``-`` is standard input. It, and anything else that can be read only once (a named pipe), is
    first copied to a file named by its content in the directory `spool`, so that a later run
    can find it again. Raises CharlmError naming the file and the remedy.
    """
    try:
        codecs.getincrementaldecoder(encoding)
        "\n".encode(encoding)
    except (LookupError, UnicodeError):
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
    source = TextSource(
        tuple(_resolve(name, spool) for name in names),
        encoding,
        errors,
        name="stdin" if names[0] == "-" else Path(names[0]).name,
    )
    if source.size == 0:
        raise no_text(source.name, "0 bytes")
    return source


@contextmanager
def temporary_spool() -> Iterator[Path]:
    """A temporary directory to spool to; errors raised meanwhile say "stdin", not the copy."""
    with tempfile.TemporaryDirectory(prefix="charlm-") as directory:
        try:
            yield Path(directory)
        except CharlmError as error:  # the user knows nothing of the copy
            named = re.sub(re.escape(directory) + r"\S+\.txt", "stdin", str(error))
            raise CharlmError(named) from None


def lines_of(source: TextSource) -> Iterator[str]:
    """The lines of a text, without their newlines."""
    partial: list[str] = []
    for chunk in source.chunks():
        first, *others = chunk.split("\n")
        partial.append(first)
        if others:
            yield "".join(partial)
            yield from others[:-1]
            partial = [others[-1]]
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

    "-" is standard input. Raises CharlmError as `open_text`.
    """
    with temporary_spool() as spool:
        source = open_text([path], encoding, errors, spool).for_level(level)
        yield ("stdin" if path == "-" else os.fspath(path)), lines_of(source)


def no_text(name: str, amount: str) -> CharlmError:
    """The error for a text that is empty, or blank."""
    return CharlmError(f"{name} holds no text ({amount}). Give a file with some text in it.")


def _resolve(name: str, spool: Path) -> Path:
    if name == "-":
        if sys.stdin is None:
            raise CharlmError("stdin is closed: name a file, or pipe some text in.")
        return _spool(sys.stdin.buffer, spool)
    if not name:
        raise CharlmError("a file name is empty. Name a file, or - for standard input.")
    path = Path(name)
    try:
        if path.is_dir():
            raise CharlmError(f"{name} is a directory. Name the text files in it: {name}/*.txt")
        with path.open("rb") as file:
            return path if path.is_file() else _spool(file, spool)
    except FileNotFoundError:
        raise CharlmError(f"{name} does not exist. Check the spelling and the directory.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CharlmError(f"{name} cannot be read: {reason}. Check its permissions.") from None


def _spool(file: BinaryIO, spool: Path) -> Path:
    """Copy a stream to `spool`/<sha256>.txt and return that path."""
    temporary = None
    try:
        spool.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        handle, temporary = tempfile.mkstemp(dir=spool, suffix=".tmp")
        with os.fdopen(handle, "wb") as copy:
            while block := file.read(CHUNK_BYTES):
                digest.update(block)
                copy.write(block)
        path = spool / f"{digest.hexdigest()}.txt"
        Path(temporary).replace(path)
        return path
    except OSError as error:
        raise CharlmError(
            f"cannot copy standard input to {spool}: {error.strerror}. Free some space there."
        ) from None
    finally:
        if temporary:
            with suppress(OSError):
                Path(temporary).unlink()


def _hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
