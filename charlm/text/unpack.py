"""Files as streams of bytes, unpacked as they are read if they are compressed; none goes to disk.

The first bytes of a file say whether it is compressed, not its name alone: text that was unpacked
and kept its name is text.
"""

from __future__ import annotations

import codecs
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from ..errors import CharlmError
from ..system.extras import require_packages

PACKED_BLOCK = 1 << 16  # bytes of a compressed file read at a time
START_BYTES = 4096  # of a file, by which it is known
MAX_WINDOW_BYTES = 1 << 29  # of memory that unpacking may take; xz -9 takes 65 MiB
MAX_EXPANSION = 1_000  # how many times its size a file may unpack to …
FREE_EXPANSION_BYTES = 1_000_000_000  # … once it has unpacked to so much


class Stream(Protocol):
    """Bytes that are read once, in order."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none only at the end."""
        ...

    def tell(self) -> int:
        """How many bytes of the file on disk have been used."""
        ...


class Decompressor(Protocol):
    """What bz2, lzma and zstd have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


@dataclass(frozen=True)
class Compression:
    """A way to compress files."""

    name: str
    suffix: str
    magic: tuple[bytes, ...]  # what a file begins with: one of these
    load: Callable[[], tuple[Callable[[], Decompressor], type[Exception]]]  # and what it raises


class _Gzip:
    """zlib's decompressor with the manners of the others."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._full = False  # the last output was as long as it might be: there may be more

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return not self._full and not self._zlib.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        out = self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)
        self._full = len(out) == max_length
        return out


def _load_bzip2() -> tuple[Callable[[], Decompressor], type[Exception]]:
    from bz2 import BZ2Decompressor

    return BZ2Decompressor, OSError


def _load_xz() -> tuple[Callable[[], Decompressor], type[Exception]]:
    from lzma import FORMAT_XZ, LZMADecompressor, LZMAError

    return lambda: LZMADecompressor(FORMAT_XZ, MAX_WINDOW_BYTES), LZMAError


def _load_zstandard() -> tuple[Callable[[], Decompressor], type[Exception]]:
    if sys.version_info >= (3, 14):
        from compression.zstd import ZstdDecompressor, ZstdError
    else:
        require_packages("unpacking Zstandard files", "backports.zstd")
        from backports.zstd import ZstdDecompressor, ZstdError
    return ZstdDecompressor, ZstdError


_BZIP2_BLOCKS = (b"1AY&SY", b"\x17rE8P\x90")  # the first, and the end of a file without any
_SKIPPABLE_FRAMES = tuple(b"%c*M\x18" % kind for kind in range(0x50, 0x60))  # of Zstandard
COMPRESSIONS = (
    Compression("gzip", ".gz", (b"\x1f\x8b\x08",), lambda: (_Gzip, zlib.error)),
    Compression(
        "bzip2",
        ".bz2",
        tuple(b"BZh%d" % size + block for size in range(1, 10) for block in _BZIP2_BLOCKS),
        _load_bzip2,
    ),
    Compression("xz", ".xz", (b"\xfd7zXZ\0",), _load_xz),
    Compression("Zstandard", ".zst", (b"\x28\xb5\x2f\xfd", *_SKIPPABLE_FRAMES), _load_zstandard),
)


def without_compression(name: str) -> str:
    """A file's name without the ending that its compression gives it."""
    for one in COMPRESSIONS:
        if name.lower().endswith(one.suffix):
            return name[: -len(one.suffix)]
    return name


def compression_of(path: Path, start: bytes) -> Compression | None:
    """How a file that begins with `start` (START_BYTES of it) is compressed, if it is.

    Raises CharlmError where its name says so and it is neither that nor text.
    """
    for one in COMPRESSIONS:
        if start.startswith(one.magic):
            return one
        if start and path.name.lower().endswith(one.suffix):
            cut = any(magic.startswith(start) for magic in one.magic)
            if cut or not _is_text(start):
                raise CharlmError(
                    f"{path} is damaged: it does not start like a {one.name} file. "
                    "Copy or download it again."
                )
    return None


def is_compressed(path: Path) -> bool:
    """Whether reading the file unpacks it. Raises OSError, and CharlmError as `open_bytes`."""
    with path.open("rb") as file:
        return compression_of(path, file.read(START_BYTES)) is not None


@contextmanager
def open_bytes(path: Path) -> Iterator[Stream]:
    """The bytes of a file, unpacked where it is compressed.

    Raises OSError as `open`; while it is read, CharlmError where it is cut short, damaged or
    unpacks to much too much, or where what unpacks it is not installed.
    """
    with path.open("rb") as file:
        found = compression_of(path, file.read(START_BYTES))
        file.seek(0)
        yield file if found is None else _Unpacked(path, file, found)


def refuse_expansion(path: Path, stored: int, size: int) -> None:
    """Raise CharlmError if a file of `stored` bytes that gave `size` is made to fill the memory."""
    if size > max(FREE_EXPANSION_BYTES, MAX_EXPANSION * stored):
        raise CharlmError(
            f"{path} unpacks to more than {MAX_EXPANSION:,} times its size ({stored:,} bytes): "
            "it may be a decompression bomb. If you trust it, unpack it first."
        )


class _Unpacked:
    """A compressed file as a stream of what is in it; it may have several parts, end to end."""

    def __init__(self, path: Path, file: BinaryIO, compression: Compression) -> None:
        self._path, self._file, self._name = path, file, compression.name
        self._new, self._error = compression.load()
        self._part = self._new()
        self._stored = path.stat().st_size
        self._size = 0  # bytes that have come out
        self.tell = file.tell

    def read(self, size: int, /) -> bytes:
        data = b""
        while True:
            if self._part.eof:
                data = self._part.unused_data.lstrip(b"\0")  # padding may stand between parts
                while not data:
                    block = self._file.read(PACKED_BLOCK)
                    if not block:
                        return b""
                    data = block.lstrip(b"\0")
                self._part = self._new()
            elif self._part.needs_input:
                data = self._file.read(PACKED_BLOCK)
                if not data:
                    raise self._wrong("is truncated: its {} data end")
            try:
                out = self._part.decompress(data, size)
            except self._error as error:
                if "memory" in str(error).lower():
                    raise CharlmError(
                        f"{self._path} takes too much memory to unpack. "
                        "Compress it again with a smaller window."
                    ) from None
                raise self._wrong("is damaged: its {} data cannot be unpacked") from None
            data = b""
            if out:
                self._size += len(out)
                refuse_expansion(self._path, self._stored, self._size)
                return out

    def _wrong(self, what: str) -> CharlmError:
        return CharlmError(
            f"{self._path} {what.format(self._name)} after {self._size:,} bytes of text. "
            "Copy or download it again."
        )


def _is_text(start: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return b"\0" not in start
