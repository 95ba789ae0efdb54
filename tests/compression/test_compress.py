"""Files compressed and read back byte for byte, whatever they hold, however it is computed."""

from __future__ import annotations

import hashlib
import io
import os
import random
import subprocess
import sys
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_laws import BY_FAMILY
from toys import TEXTS, pair_of, small_model_file

from charlm.compression import compress, container, files
from charlm.compression.compress import Codec
from charlm.compression.portable import portable
from charlm.errors import CharlmError
from charlm.models import model_file
from charlm.text.char_tokenizer import CharTokenizer

pytest.importorskip("constriction", reason="constriction is not installed")
LEVELS = tuple(TEXTS)
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0\x1f\x15\xc4\x89"


def nothing(done: float) -> None:
    """No progress is shown."""


def codec(level: str = "char", **how: Any) -> Codec:
    lm, tokenizer = pair_of(level, scale=1.0)
    return Codec(portable(lm), tokenizer, **how)


def packed(one: Codec, data: bytes) -> bytes:
    file = io.BytesIO()
    size, written = one.compress(io.BytesIO(data), file, nothing)
    assert (size, written) == (len(data), len(file.getvalue()))
    return file.getvalue()


def unpacked(one: Codec, data: bytes) -> bytes:
    file = io.BytesIO()
    assert one.decompress(io.BytesIO(data), file, nothing) == len(file.getvalue())
    return file.getvalue()


def never_short(data: bytes) -> container.Frame:
    return container.Frame(container.PLAIN, len(data), 0, 0, 0, body=bytes(1 << 20))


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model is used even where LZMA makes a file smaller."""
    monkeypatch.setattr(compress, "without_model", never_short)


def odd_files() -> Iterator[bytes]:
    """Two hundred of them."""
    rng = random.Random(7)
    text = (TEXTS["word"] + TEXTS["char"] + "the cats, naïve. 猫\n") * 30
    yield from (b"", b"a", b"\n", b"\xff", b"\r\n", b"\0", PNG, "\ufeffabc".encode(), bytes(10_000))
    yield from (b"abc\n" * 2000, b"abc de, fgh" * 300, b"\xf0\x9f\x98\x80" * 50, b"\xf0\x9f\x98")
    while True:
        cut = slice(begin := rng.randrange(len(text)), begin + rng.randrange(400))
        yield text[cut].encode()
        yield text[cut].encode("latin-1", "replace")
        yield text[cut].encode("utf-16")
        yield rng.randbytes(rng.randrange(200))
        yield "".join(rng.choices("ab c\n\t\r.,é\x85\u3000", k=rng.randrange(80))).encode()


ODD = [data for data, _ in zip(odd_files(), range(200), strict=False)]


@pytest.mark.parametrize("adapt", [False, True])
@pytest.mark.parametrize("level", LEVELS)
def test_two_hundred_odd_files(level: str, adapt: bool) -> None:
    every = (16 if adapt else 1) * (2 if level in ("byte", "subword") else 1)
    for k, data in enumerate(ODD[::every]):
        how = {"adapt": adapt, "blocks": (0, 1, 3, 50)[k % 4]}
        small = packed(codec(level, **how), data)
        assert len(small) <= len(data) + 64
        assert unpacked(codec(level, adapt=adapt), small) == data


@pytest.mark.parametrize("lm", [m for models in BY_FAMILY.values() for m in models.values()][::3])
def test_every_family(lm: Any) -> None:
    data = b"abcdefghi\n" * 4 + b"chief\n" + b"\xe9xyz"
    tokenizer = CharTokenizer([ord(char) for char in "abcdefghi"])
    for adapt in (False, True):
        one = Codec(portable(lm), tokenizer, adapt=adapt, blocks=3)
        other = Codec(portable(lm), tokenizer, adapt=adapt)
        assert unpacked(other, packed(one, data)) == data


@settings(max_examples=20)
@given(seed=st.integers(0, 1 << 20), blocks=st.integers(1, 40), batch=st.integers(1, 9))
def test_batches_make_no_difference(seed: int, blocks: int, batch: int) -> None:
    text = "".join(random.Random(seed).choices("abcdefgh ,\n", k=200)).encode()
    at_once, in_parts = codec(blocks=blocks), codec(blocks=blocks, batch=batch)
    small = packed(at_once, text)
    assert packed(in_parts, text) == small
    assert unpacked(codec(batch=batch), small) == text


def test_where_the_model_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A megabyte of zeros, and a text of another alphabet."""
    one = codec("byte")
    monkeypatch.setattr(one, "_by_model", None)
    assert len(packed(one, bytes(1 << 20))) < 400
    one = codec("char")
    monkeypatch.setattr(one, "_by_model", None)
    text = "".join(random.Random(1).choices("привет, мир", k=500)).encode()
    assert unpacked(one, packed(one, text)) == text


def test_a_model_that_fits_makes_files_small() -> None:
    lm, tokenizer = pair_of("char", scale=3.0)
    rng = np.random.default_rng(2)
    state, ids = lm.start(1), []
    for _ in range(3000):
        p = np.exp(lm.predict(state)[0].astype(np.float64))
        p[1] = 0
        ids.append(int(rng.choice(len(p), p=p / p.sum())))
        state = lm.advance(state, np.array(ids[-1:]))
    data = tokenizer.decode(ids).encode()
    nats = lm.logprobs([np.array(ids)])[0].sum()
    small = packed(Codec(portable(lm), tokenizer, blocks=1), data)
    assert len(small) == pytest.approx(-nats / np.log(2) / 8, rel=0.05, abs=60)
    assert len(small) < 0.9 * len(zlib.compress(data, 9))


@pytest.mark.usefixtures("always")
def test_a_body_that_is_none() -> None:
    """Whoever seals a file anew can write whatever he likes into it."""
    (frame,) = container.read_frames(io.BytesIO(packed(codec(), b"abc de, fgh\n" * 40)))
    one = codec()
    for body in (frame.body[:-1], b"", bytes(40), b"\xff" * 40):
        with pytest.raises(CharlmError, match="another text"):
            one.original(replace(frame, body=body), nothing)


def test_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of several, with characters that lie on the border of two."""
    monkeypatch.setattr(compress, "FRAME_BYTES", 7)
    for data in ("naïve 猫 ab cd\n".encode() * 5, b"\xf0\x9f" * 9, bytes(range(256))):
        for level in LEVELS:
            assert unpacked(codec(level), packed(codec(level), data)) == data


def test_what_was_learned_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the reader cannot learn from, since it needs no model, the writer must forget."""
    monkeypatch.setattr(compress, "FRAME_BYTES", 100)
    monkeypatch.setattr(compress, "REPETITIVE", 0)
    rng = random.Random(3)
    first, last = ("".join(rng.choices("abc de, fgh", k=100)).encode() for _ in range(2))
    middle = b"h" * 100

    def size(frame: container.Frame) -> bool:  # as if only the middle were longer by the model
        return (frame.method == container.MODEL) == (frame.crc == zlib.crc32(middle))

    monkeypatch.setattr(compress, "_size", size)
    data = first + middle + last
    small = packed(codec(adapt=True), data)
    methods = [frame.method for frame in container.read_frames(io.BytesIO(small))]
    assert methods == [container.MODEL, container.PLAIN, container.MODEL]
    assert unpacked(codec(adapt=True), small) == data


def test_nothing_but_spaces() -> None:
    for level in LEVELS:
        assert unpacked(codec(level), packed(codec(level), b" \t ")) == b" \t "


@pytest.mark.usefixtures("always")
def test_blocks_by_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compress, "ROW_BYTES", 10)
    data = b"abc de, fgh\n" * 8
    frames = list(container.read_frames(io.BytesIO(packed(codec(), data))))
    assert [frame.rows for frame in frames] == [9]


def test_a_pipe_may_give_little_at_a_time() -> None:
    class Pipe(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 3))

    data, file = b"abc de, fgh\n" * 8, io.BytesIO()
    codec().compress(Pipe(data), file, nothing)
    assert file.getvalue() == packed(codec(), data)


@pytest.mark.usefixtures("always")
def test_progress_goes_up_to_the_end() -> None:
    for what in ("compress", "decompress"):
        seen: list[float] = []
        data = b"abc de, fgh\n" * 40
        data = data if what == "compress" else packed(codec(), data)
        getattr(codec(), what)(io.BytesIO(data), io.BytesIO(), seen.append)
        assert seen == sorted(seen)
        assert len(seen) > 10
        assert seen[-1] == pytest.approx(len(data), abs=60)


@pytest.mark.usefixtures("always")
def test_a_model_that_finds_another_text_is_noticed() -> None:
    """As on a machine that computes otherwise."""
    data = b"abc de, fgh\n" * 40
    lm, tokenizer = pair_of("char", "lstm")
    other = Codec(portable(lm), tokenizer)
    with pytest.raises(CharlmError, match="another text"):
        unpacked(other, packed(codec(), data))


# The same bytes everywhere --------------------------------------------------------------------

PROGRAM = """
import hashlib, io, sys
sys.path[:0] = sys.argv[1:]
from charlm.compression import compress
from test_compress import golden, never_short
compress.without_model = never_short
print(golden())
"""
GOLDEN = "f5ee0a28e33ad7f475b4b550ffcab0de199a7c3bf3cb81812421c64c986caa85"


def golden() -> str:
    """A digest of files compressed by models of every kind."""
    found = hashlib.sha256()
    lms = [lm for models in BY_FAMILY.values() for lm in list(models.values())[::7]]
    tokenizer = CharTokenizer([ord(char) for char in "abcdefghi"])
    data = bytes(b"abcdefghi\n"[k * k % 97 % 10] for k in range(400))
    for lm in lms:
        small = packed(Codec(portable(lm), tokenizer, adapt=True, blocks=5), data)
        assert [frame.rows for frame in container.read_frames(io.BytesIO(small))] == [5]
        found.update(small)
    return found.hexdigest()


@pytest.mark.usefixtures("always")
def test_the_same_bytes_on_every_machine() -> None:
    assert golden() == GOLDEN


@pytest.mark.parametrize(
    "environment",
    [
        {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"},
        {"OPENBLAS_CORETYPE": "Haswell", "NPY_DISABLE_CPU_FEATURES": "AVX512F"},
        {"OPENBLAS_CORETYPE": "Prescott", "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX2 FMA3"},
    ],
    ids=["two threads", "no AVX-512", "an old processor"],
)
def test_the_same_bytes_on_other_processors(environment: dict[str, str]) -> None:
    """Where the libraries take other paths: with sums in another order, without fused steps."""
    tests = Path(__file__).parents[1]
    paths = [str(tests / folder) for folder in ("compression", "models", "support")]
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, *paths],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert run.stdout.split() == [GOLDEN], run.stderr


# Whole files ----------------------------------------------------------------------------------


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    model_file.write(path, small_model_file())
    return path


def test_a_file_with_its_model_inside(model: Path) -> None:
    data, small, back = b"abc de, fgh\n" * 9, io.BytesIO(), io.BytesIO()
    done = files.compress(io.BytesIO(data), small, model, with_model=True)
    assert (done.model, done.bytes, done.compressed) == ("LSTM 1 × 4", 108, len(small.getvalue()))
    assert done.bits_per_byte == done.as_dict()["bits_per_byte"] == 8 * done.compressed / 108

    def never() -> Path:
        raise AssertionError("the model is inside")

    again = files.decompress(io.BytesIO(small.getvalue()), back, never)
    assert back.getvalue() == data
    assert again == done


def test_another_model_is_refused(model: Path, tmp_path: Path) -> None:
    small, other = io.BytesIO(), tmp_path / "other.safetensors"
    model_file.write(other, small_model_file(cell="gru"))
    files.compress(io.BytesIO(b"abc\n"), small, model)
    with pytest.raises(CharlmError, match=r"another model than .*: with LSTM 1 × 4"):
        files.decompress(io.BytesIO(small.getvalue()), io.BytesIO(), lambda: other)


@pytest.mark.parametrize(
    "how", [{"blocks": -1}, {"blocks": 5000}, {"batch": 0}], ids=["negative", "many", "batch"]
)
def test_settings_out_of_range(model: Path, how: dict[str, int]) -> None:
    with pytest.raises(CharlmError, match="must be"):
        files.compress(io.BytesIO(), io.BytesIO(), model, **how)  # type: ignore[arg-type]


def test_an_empty_file(model: Path) -> None:
    small, back = io.BytesIO(), io.BytesIO()
    assert files.compress(io.BytesIO(), small, model).bits_per_byte == 0
    assert files.decompress(io.BytesIO(small.getvalue()), back, lambda: model).bytes == 0
    assert back.getvalue() == b""


def test_a_flipped_byte_anywhere_in_a_file(model: Path) -> None:
    small = io.BytesIO()
    files.compress(io.BytesIO(b"abc de, xyz\n" * 4), small, model, adapt=True)
    data = small.getvalue()
    for place in range(len(data)):
        wrong = data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :]
        with pytest.raises(CharlmError):
            files.decompress(io.BytesIO(wrong), io.BytesIO(), lambda: model)
