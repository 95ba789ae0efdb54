"""Compressed text is the text that was compressed, and what is wrong with it is one line."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packed import PACK

from charlm.config import TokenizerConfig
from charlm.errors import CharlmError
from charlm.text import unpack
from charlm.text.corpus import prepare
from charlm.text.source import CHUNK_BYTES, TextSource, open_text
from charlm.text.unpack import open_bytes

anywhere = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
texts = st.text(st.sampled_from(list("ab \n\r\té中😀\x0b\x85\u2028\ufeff")), max_size=60)
kinds = pytest.mark.parametrize("suffix", PACK)
TEXT = "The cats, which already ate fish, were full.\n\nÜber 😀 Bäume\r\nand no final newline"


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def complaint(path: Path, **how: str) -> str:
    with pytest.raises(CharlmError) as caught:
        list(open_text([path], **how).chunks())  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    return str(caught.value)


def read_bytes(path: Path, size: int = CHUNK_BYTES) -> bytes:
    with open_bytes(path) as file:
        blocks = list(iter(lambda: file.read(size), b""))
        assert file.read(size) == b""
    assert all(len(block) <= size for block in blocks)
    return b"".join(blocks)


@kinds
@anywhere
@given(data=st.binary(max_size=300), size=st.integers(1, 40), parts=st.integers(1, 3))
def test_every_byte_comes_out(
    tmp_path: Path, suffix: str, data: bytes, size: int, parts: int
) -> None:
    """Of several parts end to end, too, as parallel compressors and `cat` make them."""
    path = written(tmp_path / "t", PACK[suffix](data) * parts)
    assert read_bytes(path, size) == data * parts


@kinds
@anywhere
@given(text=texts, size=st.integers(1, 40), level=st.sampled_from(["char", "byte"]))
def test_a_compressed_text_reads_as_the_plain_one(
    tmp_path: Path, suffix: str, text: str, size: int, level: str
) -> None:
    data = ("x" + text).encode()
    plain = open_text([written(tmp_path / "t.txt", data)]).for_level(level)
    packed = open_text([written(tmp_path / f"t.txt{suffix}", PACK[suffix](data))]).for_level(level)
    assert "".join(packed.chunks(size)) == "".join(plain.chunks())
    assert list(packed.split_chunks(0.5)) == list(plain.split_chunks(0.5))
    assert packed.sha256() == plain.sha256()
    assert packed.size == plain.size == len(data)


@kinds
def test_ids_and_their_cache_are_those_of_the_plain_file(tmp_path: Path, suffix: str) -> None:
    data = TEXT.encode() * 50
    config, cache = TokenizerConfig("word"), tmp_path / "cache"
    plain = prepare(open_text([written(tmp_path / "t", data)]), None, config, cache)
    packed = open_text([written(tmp_path / f"t{suffix}", PACK[suffix](data))])
    same = prepare(packed, None, config, cache)
    fresh = prepare(packed, None, config, tmp_path / "other")
    assert len(list(cache.iterdir())) == 1
    for one in (same, fresh):
        assert one.train.tobytes() == plain.train.tobytes()
        assert one.valid.tobytes() == plain.valid.tobytes()
        assert one.sha256 == plain.sha256


@kinds
def test_long_texts_in_other_encodings(tmp_path: Path, suffix: str) -> None:
    text = "".join(f"line {k} über\n" for k in range(20_000))
    path = written(tmp_path / "t", PACK[suffix](text.encode("utf-16")))
    assert "".join(open_text([path], "utf-16").chunks()) == text
    whole = open_text([path], "utf-16")
    assert whole.size == len(text.encode("utf-16"))
    told: list[float] = []
    whole.sha256(told.append)
    list(whole.split_chunks(0.9, progress=told.append))
    assert 0.0 <= min(told) <= max(told) == 1.0


@kinds
@pytest.mark.parametrize("lines", [1, 4000])
def test_a_file_cut_anywhere_is_one_line(tmp_path: Path, suffix: str, lines: int) -> None:
    data = PACK[suffix]("".join(f"{k} {k * k} été\n" for k in range(lines)).encode())
    for end in range(1, len(data), 1 if lines == 1 else 1 + len(data) // 60):
        for level in ("char", "byte"):
            path = written(tmp_path / f"t.txt{suffix}", data[:end])
            with pytest.raises(CharlmError) as caught:
                list(open_text([path]).for_level(level).chunks())
            message = str(caught.value)
            assert message.startswith(f"{path} is ")
            assert "is truncated: its" in message or "is damaged: it does not start" in message
            assert message.endswith("Copy or download it again.")


@kinds
def test_a_file_that_begins_otherwise_is_damaged_or_text(tmp_path: Path, suffix: str) -> None:
    name = f"t.txt{suffix}"
    data = PACK[suffix](TEXT.encode() * 9)
    assert "does not start like" in complaint(written(tmp_path / name, b"\xff" + data[1:]))
    assert "holds no text (0 bytes)" in complaint(written(tmp_path / name, b""))
    assert "holds no text (0 bytes)" in complaint(written(tmp_path / name, PACK[suffix](b"")))
    named_only = written(tmp_path / name, TEXT.encode())
    assert "".join(open_text([named_only]).chunks()) == TEXT.replace("\r", "") + "\n"


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz"])  # Zstandard as Python makes it: no sums
def test_a_byte_that_is_changed_is_noticed(tmp_path: Path, suffix: str) -> None:
    data = PACK[suffix]("".join(f"{k * k}\n" for k in range(3000)).encode())
    first = 10 if suffix == ".gz" else 4  # before: when and where it was made
    for at in range(first, len(data), 1 + len(data) // 40):
        changed = data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]
        said = complaint(written(tmp_path / f"t{suffix}", changed))
        assert "damaged" in said or "truncated" in said or "too much memory" in said


@kinds
def test_what_stands_behind_is_no_text(tmp_path: Path, suffix: str) -> None:
    packed = PACK[suffix](TEXT.encode())
    assert "damaged: its" in complaint(written(tmp_path / "t", packed + b"and more of it, plain"))
    assert read_bytes(written(tmp_path / "t", packed + bytes(70_000))) == TEXT.encode()


@pytest.mark.parametrize("suffix", [".bz2", ".xz", ".zst"])
def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    monkeypatch.setattr(unpack, "FREE_EXPANSION_BYTES", 1_000_000)
    bomb = PACK[suffix](b"aaaaaaa\n" * 500_000)
    said = complaint(written(tmp_path / "t", bomb))
    assert "unpacks to more than 1,000 times its size" in said
    monkeypatch.setattr(unpack, "FREE_EXPANSION_BYTES", 1_000_000_000)
    assert len(read_bytes(tmp_path / "t")) == 4_000_000


def test_skippable_frames_are_skipped(tmp_path: Path) -> None:
    """Which pzstd and seekable files have between their parts."""
    note, part = b"\x5e*M\x18\x03\0\0\0abc", PACK[".zst"](TEXT.encode())
    path = written(tmp_path / "t", note + part + note + part + note)
    assert read_bytes(path) == TEXT.encode() * 2


def test_too_large_a_window_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "MAX_WINDOW_BYTES", 1 << 16)
    said = complaint(written(tmp_path / "t.xz", PACK[".xz"](TEXT.encode())))
    assert "takes too much memory to unpack" in said


def test_what_unpacks_zstandard_can_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.version_info >= (3, 14):
        pytest.skip("it is in Python")
    path = written(tmp_path / "t.zst", b"\x28\xb5\x2f\xfd" + bytes(20))
    monkeypatch.delitem(sys.modules, "backports.zstd", raising=False)
    monkeypatch.setitem(sys.modules, "backports", None)
    said = complaint(path)
    assert said == ('unpacking Zstandard files needs backports.zstd: pip install "charlm[formats]"')


@kinds
def test_standard_input_may_be_compressed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    packed = PACK[suffix](TEXT.encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(packed)))
    source = open_text(["-"], spool=tmp_path)
    assert "".join(source.chunks()) == TEXT.replace("\r", "") + "\n"
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == len(packed)


def test_memory_stays_bounded(tmp_path: Path) -> None:
    """However much a block unpacks to, no more than asked for is held."""
    import tracemalloc

    path = written(tmp_path / "t.gz", PACK[".gz"](b"ab\n" * 10_000_000))
    source = TextSource((path,))
    tracemalloc.start()
    size = sum(map(len, source.chunks()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size == 30_000_000
    assert peak < 2_000_000
