"""The compressed file: any damage is noticed."""

from __future__ import annotations

import io
import json
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.compression import container
from charlm.compression.container import CHECKSUM, LENGTH, MAGIC, MODEL, PLAIN, Frame, Header
from charlm.errors import CharlmError

HEADER = Header("ab" * 16, "LSTM 1 × 4", adapt=True)
FRAMES = [
    Frame(MODEL, 40, 33, 4, 0x12345678, b"side", b"body of it"),
    Frame(PLAIN, 3, 0, 0, 7, b"", b"\0abc"),
]


def written(header: Header = HEADER, model: bytes = b"a model", frames: int = 2) -> bytes:
    file = io.BytesIO()
    size = container.write_header(file, header, model)
    size += sum(container.write_frame(file, frame) for frame in FRAMES)
    size += container.write_end(file, frames)
    assert size == len(file.getvalue())
    return file.getvalue()


def read(data: bytes) -> tuple[Header, bytes, list[Frame]]:
    file = io.BytesIO(data)
    return *container.read_header(file), list(container.read_frames(file))


def test_it_is_read_back() -> None:
    assert read(written()) == (HEADER, b"a model", FRAMES)
    assert container.is_ours(written())
    assert not container.is_ours(b"PK")


def test_a_flipped_bit_anywhere_is_noticed() -> None:
    data = written()
    for place in range(len(data)):
        for bit in range(8):
            wrong = bytearray(data)
            wrong[place] ^= 1 << bit
            with pytest.raises(CharlmError, match=r"damaged|not a file that"):
                read(bytes(wrong))


def test_a_cut_or_continued_file_is_noticed() -> None:
    data = written()
    for size in range(len(data)):
        with pytest.raises(CharlmError):
            read(data[:size])
    with pytest.raises(CharlmError, match="damaged"):
        read(data + b"x")
    with pytest.raises(CharlmError, match="damaged"):
        read(written(frames=3))


def sealed(about: bytes) -> bytes:
    data = MAGIC + LENGTH.pack(len(about)) + about
    return data + CHECKSUM.pack(zlib.crc32(data))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 2}, "upgrade charlm"),
        ({"adapt": 1}, "damaged"),
        ({"bytes": -1}, "damaged"),
        ({"bytes": "7"}, "damaged"),
        ({"more": 1}, "damaged"),
    ],
)
def test_headers_that_cannot_be_believed(change: dict[str, object], words: str) -> None:
    fields = {"model": "ab", "name": "x", "adapt": False, "version": 1, "bytes": 0, **change}
    with pytest.raises(CharlmError, match=words):
        read(sealed(json.dumps(fields).encode()))
    for about in (b"[" * 60_000, b"7", b"\xff", b"{}"):
        with pytest.raises(CharlmError, match="damaged"):
            read(sealed(about))


@pytest.mark.parametrize(
    "frame",
    [
        Frame(3, 10, 1, 1, 0),
        Frame(MODEL, 10, 21, 1, 0),
        Frame(MODEL, 10, 5, 0, 0),
        Frame(MODEL, 10, 5, 6, 0),
        Frame(PLAIN, 1, 0, 0, 0, b"", bytes(2000)),
        Frame(PLAIN, container.FRAME_BYTES + 4, 0, 0, 0),
    ],
)
def test_frames_that_cannot_be_believed(frame: Frame) -> None:
    file = io.BytesIO()
    container.write_frame(file, frame)
    container.write_end(file, 1)
    file.seek(0)
    with pytest.raises(CharlmError, match="damaged"):
        list(container.read_frames(file))


@given(st.binary(max_size=300))
def test_without_a_model(data: bytes) -> None:
    for one in (data, data * 30):
        packed = container.squeeze(one)
        assert len(packed) <= len(one) + 1
        assert container.unsqueeze(packed, len(one)) == one
        if one:
            with pytest.raises(CharlmError):
                container.unsqueeze(packed, len(one) - 1)


def test_what_is_no_squeezed_string() -> None:
    rng = random.Random(0)
    for data in (b"", b"\2abc", b"\1" + rng.randbytes(50), container.squeeze(bytes(1000))[:9]):
        with pytest.raises(CharlmError):
            assert container.unsqueeze(data, 2000) == bytes(1000)
