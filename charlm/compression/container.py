"""The compressed file: a header and frames, each with a checksum (docs/compression.md).

    MAGIC  length  header as JSON  [model]  CRC-32 of all this
    frame  frame  …  end

Numbers are little-endian. A frame holds up to FRAME_BYTES of the original, in one of three ways.
"""

from __future__ import annotations

import json
import lzma
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from struct import Struct
from typing import Any, BinaryIO, Protocol

from ..errors import CharlmError

MAGIC = b"\x89charlm\n"
VERSION = 1
SUFFIX = ".charlm"
FRAME_BYTES = 1 << 22  # of the original
MAX_HEADER, MAX_MODEL = 1 << 16, 1 << 31
MODEL, PLAIN, END = 1, 2, 0  # what a frame holds: coded tokens, LZMA, nothing
LENGTH, CHECKSUM = Struct("<I"), Struct("<I")
FRAME = Struct("<BIIHIII")
MAX_LZMA_MEMORY = 1 << 27


@dataclass(frozen=True)
class Header:
    """What the reader must know beforehand."""

    model: str  # a digest, or "" if the model follows
    name: str  # of the model, for people
    adapt: bool
    version: int = VERSION


@dataclass(frozen=True)
class Frame:
    """A stretch of the file."""

    method: int
    size: int  # bytes of the original
    tokens: int
    rows: int  # read side by side
    crc: int  # of the original
    side: bytes = b""
    body: bytes = b""


def write_header(target: BinaryIO, header: Header, model: bytes = b"") -> int:
    """Begin a file; model: what follows the header. Returns the bytes written."""
    fields = {**asdict(header), "bytes": len(model)}
    about = json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()
    data = MAGIC + LENGTH.pack(len(about)) + about + model
    target.write(data + CHECKSUM.pack(zlib.crc32(data)))
    return len(data) + CHECKSUM.size


def is_ours(head: bytes) -> bool:
    """Whether a file that begins so is one of these."""
    return head.startswith(MAGIC)


class Readable(Protocol):
    """What can be read from, such as a binary file."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, fewer at the end."""
        ...


def read_header(source: Readable) -> tuple[Header, bytes]:
    """The header, and the model after it.

    Raises CharlmError for any other file, a damaged one and one of a newer charlm.
    """
    magic = source.read(len(MAGIC))
    if magic != MAGIC:
        raise CharlmError("not a file that `charlm compress` wrote")
    length = _exactly(source, LENGTH.size)
    (size,) = LENGTH.unpack(length)
    about = _exactly(source, _within(size, MAX_HEADER))
    try:
        fields = json.loads(about)
        model_bytes = _within(fields.pop("bytes"), MAX_MODEL)
        header = Header(**fields)
        _check_types(header)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise damaged() from None
    model = _exactly(source, model_bytes)
    _check_sum(source, magic + length + about + model)
    if header.version != VERSION:
        raise CharlmError("a newer charlm wrote it: upgrade charlm (pip install --upgrade charlm)")
    return header, model


def _check_types(header: Header) -> None:
    kinds: dict[str, Any] = {"model": str, "name": str, "adapt": bool, "version": int}
    if any(type(getattr(header, name)) is not kind for name, kind in kinds.items()):
        raise ValueError("a field of another type")


def write_frame(target: BinaryIO, frame: Frame) -> int:
    """Append a frame: the bytes written."""
    head = FRAME.pack(
        frame.method, frame.size, frame.tokens, frame.rows, frame.crc, len(frame.side),
        len(frame.body),
    )  # fmt: skip
    data = head + frame.side + frame.body
    target.write(data + CHECKSUM.pack(zlib.crc32(data)))
    return len(data) + CHECKSUM.size


def write_end(target: BinaryIO, frames: int) -> int:
    """Close a file of so many frames. Returns the bytes written."""
    return write_frame(target, Frame(END, 0, frames, 0, 0))


def read_frames(source: Readable) -> Iterator[Frame]:
    """The frames of a file. Raises CharlmError if it is damaged, cut off, or has more after it."""
    frames = 0
    while True:
        head = _exactly(source, FRAME.size)
        method, size, tokens, rows, crc, side_bytes, body_bytes = FRAME.unpack(head)
        fits = size <= FRAME_BYTES + 3 and side_bytes + body_bytes <= 8 * size + 1024
        if method not in (MODEL, PLAIN, END) or not fits:
            raise damaged()
        side, body = _exactly(source, side_bytes), _exactly(source, body_bytes)
        _check_sum(source, head + side + body)
        if method == END:
            if tokens != frames or source.read(1):
                raise damaged()
            return
        if method == MODEL and (tokens > 2 * size or not 1 <= rows <= max(1, tokens)):
            raise damaged()
        frames += 1
        yield Frame(method, size, tokens, rows, crc, side, body)


def squeeze(data: bytes) -> bytes:
    """Bytes without a model: LZMA, or as they are where that is shorter."""
    packed = lzma.compress(data, lzma.FORMAT_ALONE) if data else b""
    return b"\1" + packed if len(packed) < len(data) else b"\0" + data


def unsqueeze(data: bytes, limit: int) -> bytes:
    """What `squeeze` was given, at most `limit` bytes. Raises CharlmError for anything else."""
    if data[:1] == b"\0":
        found = data[1:]
    elif data[:1] == b"\1":
        try:
            reader = lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=MAX_LZMA_MEMORY)
            found = reader.decompress(data[1:], limit + 1)
        except (lzma.LZMAError, MemoryError):
            raise damaged() from None
        if not reader.eof:
            raise damaged()
    else:
        raise damaged()
    if len(found) > limit:
        raise damaged()
    return found


def damaged() -> CharlmError:
    """The error for a file that is not as it was written."""
    return CharlmError("damaged or cut off: it cannot be read back")


def _exactly(source: Readable, size: int) -> bytes:
    found = source.read(size)
    if len(found) != size:
        raise damaged()
    return found


def _check_sum(source: Readable, data: bytes) -> None:
    if CHECKSUM.unpack(_exactly(source, CHECKSUM.size)) != (zlib.crc32(data),):
        raise damaged()


def _within(size: Any, limit: int) -> int:
    if type(size) is not int or not 0 <= size <= limit:
        raise damaged()
    return size
