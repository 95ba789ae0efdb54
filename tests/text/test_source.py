"""Reading files: any encoding, any size, only the newline ends a line, clear errors."""

from __future__ import annotations

import io
import os
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from charlm.errors import CharlmError
from charlm.text.pieces import (
    utf8,
)
from charlm.text.source import CUT_REACH, TextSource, lines_of, open_text
from charlm.text.unpack import compression_of

anywhere = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
texts = st.text(st.sampled_from(list("ab \n\r\té中😀\x0b\x0c\x1c\x85\u2028\ufeff")), max_size=60)


@anywhere
@given(text=texts)
def test_lines_are_what_newlines_close(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("lines") / "t.txt"
    path.write_bytes(("x" + text).encode())
    source = TextSource((path,))
    whole = "".join(source.chunks())
    assert list(lines_of(source)) == whole.removesuffix("\n").split("\n")


def test_a_line_has_an_end(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text(f"a\n{'b' * 200_000}\nc\n")
    source = TextSource((path,))
    assert [len(line) for line in lines_of(source, 200_000)] == [1, 200_000, 1]
    with pytest.raises(CharlmError, match=r"line 2 of .*t.txt has more than 199,999 characters"):
        list(lines_of(source, 199_999))


def written(path: Path, data: bytes | str) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def read(path: Path, **how: object) -> str:
    return "".join(TextSource((path,), **how).chunks())  # type: ignore[arg-type]


def as_read(text: str) -> str:
    """What reading a file of this text should give."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    return text if text.endswith("\n") or not text else text + "\n"


@anywhere
@given(text=texts, size=st.integers(1, 40), encoding=st.sampled_from(["utf-8", "utf-16", "utf-32"]))
def test_chunk_size_does_not_matter(tmp_path: Path, text: str, size: int, encoding: str) -> None:
    path = written(tmp_path / "t", text.encode(encoding))
    chunks = list(TextSource((path,), encoding).chunks(size))
    assert all(chunks)
    assert "".join(chunks) == as_read(text)


@anywhere
@given(data=st.binary(max_size=60), size=st.integers(1, 20))
def test_raw_keeps_every_byte(tmp_path: Path, data: bytes, size: int) -> None:
    assume(compression_of(Path("t"), data) is None)
    source = TextSource((written(tmp_path / "t", data),)).for_level("byte")
    closed = data if data.endswith(b"\n") or not data else data + b"\n"
    assert utf8("".join(source.chunks(size))) == closed


def test_only_byte_level_is_raw(tmp_path: Path) -> None:
    source = TextSource((tmp_path / "t",))
    assert source.for_level("char") is source
    assert source.for_level("word") is source
    assert source.for_level("byte").raw


def test_files_do_not_run_together(tmp_path: Path) -> None:
    parts = [b"one", b"", b"two\n", b"\xef\xbb\xbfthree\r\n\r\nfour\r"]
    paths = tuple(written(tmp_path / str(i), data) for i, data in enumerate(parts))
    assert "".join(TextSource(paths).chunks(2)) == "one\ntwo\nthree\n\nfour\r\n"


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "gb18030", "shift_jis", "utf-16-le"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    text = "caf\u00e9\n" if encoding in ("latin-1", "cp1252") else "日本\nab\n"
    path = written(tmp_path / "t", text.encode(encoding))
    assert "".join(TextSource((path,), encoding).chunks(1)) == text


def test_progress_ends_at_one(tmp_path: Path) -> None:
    source = TextSource((written(tmp_path / "a", "ab\n" * 9), written(tmp_path / "b", "c")))
    told: list[float] = []
    list(source.chunks(4, told.append))
    assert told == sorted(told)
    assert told[-1] == 1.0
    told = []
    list(source.split_chunks(0.5, 4, told.append))
    assert told == sorted(told)
    assert told[-1] == 1.0
    told = []
    source.sha256(told.append)
    assert told[-1] == 1.0


def test_sha256_is_that_of_the_file_and_knows_where_files_end(tmp_path: Path) -> None:
    a, b, ab = (written(tmp_path / name, name) for name in ("a", "b", "ab"))
    empty = written(tmp_path / "abc", "abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert TextSource((empty,)).sha256() == known
    assert TextSource((a, b)).sha256() != TextSource((ab,)).sha256()
    assert TextSource((a, b)).sha256() != TextSource((b, a)).sha256()


# ── the cut between training and validation ──────────────────────────────────────────────────


def parts(path: Path, fraction: float = 0.9, chunk: int = 1 << 16) -> tuple[str, str]:
    both = ["", ""]
    for text, later in TextSource((path,)).split_chunks(fraction, chunk):
        assert text
        assert later or not both[1], "training text after validation text"
        both[later] += text
    return both[0], both[1]


@anywhere
@given(text=texts, fraction=st.floats(0.1, 0.9), size=st.integers(1, 40))
def test_cut_loses_nothing_whatever_the_chunks(
    tmp_path: Path, text: str, fraction: float, size: int
) -> None:
    path = written(tmp_path / "t", text)
    train, valid = parts(path, fraction, size)
    assert train + valid == as_read(text)
    assert (train, valid) == parts(path, fraction)
    if "\n" in (train + valid)[:-1] and valid:
        assert train.endswith("\n")


def test_cut_falls_on_the_next_line_end(tmp_path: Path) -> None:
    lines = "".join(f"line {i:04}\n" for i in range(1000))  # 10 bytes each
    for shift, last in ((0, "0899"), (1, "0900"), (9, "0900")):
        train, valid = parts(written(tmp_path / "t", lines), (9000 + shift) / 10_000)
        assert train.endswith(f"line {last}\n")
        assert train + valid == lines


def test_cut_falls_back_to_the_line_end_before(tmp_path: Path) -> None:
    train, valid = parts(written(tmp_path / "t", "first\n" + "x" * 200))
    assert (train, valid) == ("first\n", "x" * 200 + "\n")


def test_one_endless_line_is_cut_where_the_fraction_says(tmp_path: Path) -> None:
    path = written(tmp_path / "t", "é" * (5 * CUT_REACH))
    train, valid = parts(path, chunk=1000)
    assert len(train) == 4.5 * CUT_REACH
    assert len(valid) == 0.5 * CUT_REACH + 1
    assert parts(path, chunk=999) == (train, valid)


def test_a_line_end_out_of_reach_is_ignored(tmp_path: Path) -> None:
    text = "a" * (9 * CUT_REACH - CUT_REACH - 9) + "\n" + "b" * (2 * CUT_REACH + 8)
    train, _ = parts(written(tmp_path / "t", text))
    assert train.endswith("b")
    assert len(train) == int(0.9 * len(text))


# ── what can be wrong with a file ────────────────────────────────────────────────────────────


def complaint(*paths: str | Path, **how: str) -> str:
    with pytest.raises(CharlmError) as caught:
        list(open_text(paths, **how).chunks())  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_missing_and_empty(tmp_path: Path) -> None:
    assert "nowhere.txt does not exist" in complaint(tmp_path / "nowhere.txt")
    assert "is a directory with no files" in complaint(tmp_path)
    empty = complaint(written(tmp_path / "empty.txt", ""))
    assert empty.startswith("empty.txt holds no text (0 bytes). Give a file with some text")
    assert "no text given" in complaint()
    assert "cannot be read" in complaint("nul\0in-name")
    assert "only once" in complaint("-", "-")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_unreadable(tmp_path: Path) -> None:
    path = written(tmp_path / "t", "secret")
    path.chmod(0)
    assert "Permission denied" in complaint(path)


@pytest.mark.parametrize(("lead", "size"), [(0, 7), (70_000, 1 << 16), (5, 1)])
def test_invalid_utf8_is_located(tmp_path: Path, lead: int, size: int) -> None:
    path = written(tmp_path / "t", "é".encode() * lead + b"ab\xe4bc")
    with pytest.raises(CharlmError, match="`encoding=latin-1`, or `errors=replace`") as caught:
        list(TextSource((path,)).chunks(size))
    assert f"is not valid utf-8 at byte {2 * lead + 2:,} (0xE4)" in str(caught.value)


def test_truncated_character_at_the_end(tmp_path: Path) -> None:
    assert "at byte 2 (0xE4)" in complaint(written(tmp_path / "t", b"ab\xe4\xb8"))
    assert "not valid utf-16" in complaint(written(tmp_path / "u", b"abc"), encoding="utf-16-le")
    assert read(tmp_path / "t", errors="replace") == "ab\ufffd\n"
    assert read(tmp_path / "t", errors="ignore") == "ab\n"


def test_nul_bytes(tmp_path: Path) -> None:
    message = complaint(written(tmp_path / "t", b"x" * 100_000 + b"\0y"))
    assert "NUL at byte 100,000" in message
    assert "`encoding=utf-16`" in message
    assert "NUL" in complaint(written(tmp_path / "u", "hello".encode("utf-16")))
    assert read(tmp_path / "u", encoding="utf-16") == "hello\n"


def test_unknown_encoding_and_errors(tmp_path: Path) -> None:
    path = written(tmp_path / "t", "text")
    for encoding in ("utf-9", "rot13", "base64", ""):
        assert "unknown encoding" in complaint(path, encoding=encoding)
    assert "unknown errors value 'xyz': choose strict |" in complaint(path, errors="xyz")


# ── standard input and pipes ─────────────────────────────────────────────────────────────────


def test_standard_input_is_kept_under_its_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / "in" / "stdin" / "of-a-killed-process.tmp"
    left.parent.mkdir(parents=True)
    left.touch()
    os.utime(left, (time.time() - 90_000,) * 2)
    for _ in range(2):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"abc")))
        source = open_text(["-"], spool=tmp_path / "in" / "stdin")
    assert source.name == "stdin"
    assert [path.name for path in (tmp_path / "in" / "stdin").iterdir()] == [
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad.txt"
    ]
    assert "".join(source.chunks()) == "abc\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(CharlmError, match="stdin holds no text"):
        open_text(["-"], spool=tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_named_pipe(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=(b"from a pipe",))
    writer.start()
    source = open_text([fifo], spool=tmp_path / "spool")
    writer.join()
    assert "".join(source.chunks()) == "from a pipe\n"
    assert source.name == "pipe"


def test_spool_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"abc")))
    blocked = written(tmp_path / "file", "") / "stdin"
    with pytest.raises(CharlmError, match="cannot copy standard input"):
        open_text(["-"], spool=blocked)
