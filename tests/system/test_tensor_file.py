"""Files of tensors: read as written, or refused as damaged."""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import SafetensorError

from charlm.errors import CharlmError
from charlm.system import tensor_file


def test_tensorfile_round_trip_and_kinds(tmp_path: Path) -> None:
    path = tmp_path / "t.safetensors"
    tensors: dict[str, Any] = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "b": np.zeros(0, np.uint8),
    }
    tensor_file.write(path, "charlm-test", {"x": [1, "ü"]}, tensors)
    contents, back = tensor_file.read(path, "charlm-test")
    assert contents == {"x": [1, "ü"]}
    assert back.keys() == tensors.keys()
    for name in tensors:
        assert back[name].dtype == tensors[name].dtype
        np.testing.assert_array_equal(back[name], tensors[name])
    first = path.read_bytes()
    tensor_file.write(
        path, "charlm-test", {"x": [1, "ü"]}, {name: tensors[name] for name in reversed(tensors)}
    )
    assert path.read_bytes() == first
    with pytest.raises(CharlmError):
        tensor_file.read(path, "charlm-other")
    with pytest.raises(CharlmError, match=r"no .*file|there is no"):
        tensor_file.read(tmp_path / "absent", "charlm-test")


def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "t.safetensors"
    tensor_file.write(path, "charlm-test", {"x": 1}, {"a": np.ones(3, np.float32)})
    data = path.read_bytes()
    for at in range(len(data)):
        for bit in (0x01, 0x20, 0x80):
            changed = bytearray(data)
            changed[at] ^= bit
            path.write_bytes(changed)
            try:
                contents, tensors = tensor_file.read(path, "charlm-test")
            except CharlmError:
                continue
            # what is still read must be what was written (padding may differ)
            assert contents == {"x": 1}, at
            np.testing.assert_array_equal(tensors["a"], np.ones(3, np.float32))


def header(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(8, "little") + data


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (header('{"__metadata__":null}'), "is not a charlm-test file"),
        (header('{"__metadata__":{}}'), "is not a charlm-test file"),
        (header('{"__metadata__":{"charlm-test":"null"}}'), "is not a charlm-test file"),
        (header('{"__metadata__":{"charlm-test":"[1]"}}'), "is not a charlm-test file"),
        (header('{"__metadata__":{"charlm-test":"{"}}'), "or of another kind"),
        (header('{"__metadata__":3}'), "or of another kind"),
        (header("[]"), "or of another kind"),
        (header("[" * 100_000), "or of another kind"),
        (header('{"a":null}'), "or of another kind"),
        (header('{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}'), "bytes long, not"),
        ((1 << 40).to_bytes(8, "little") + b"{}", "a header of 1,099,511,627,776 bytes"),
        (header("{}")[:-1], "or of another kind"),
        (b"", "or of another kind"),
        (b"charlm", "or of another kind"),
    ],
)
def test_headers_of_strangers(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "t.safetensors"
    path.write_bytes(data)
    with pytest.raises(CharlmError, match=message) as caught:
        tensor_file.read(path, "charlm-test")
    assert "\n" not in str(caught.value)


def test_a_file_of_another_size_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "t.safetensors"
    tensor_file.write(path, "charlm-test", {"x": 1}, {"a": np.ones(3, np.float32)})
    with path.open("ab") as file:
        file.truncate(1 << 40)  # sparse: it would not fit in memory
    with pytest.raises(CharlmError, match="1,099,511,627,776 bytes long, not"):
        tensor_file.read(path, "charlm-test")


def test_the_digest_is_that_of_the_specification(tmp_path: Path) -> None:
    """docs/model-file.md, followed step by step."""
    path = tmp_path / "t.safetensors"
    tensors: dict[str, Any] = {"b": np.arange(3), "a": np.eye(2, dtype=np.float32)}
    tensor_file.write(path, "charlm-test", {"z": 1, "ü": [1.5, None]}, tensors)
    sha = hashlib.sha256(b'{"z":1,"\\u00fc":[1.5,null]}')
    for name, shape in (("a", b'["a","float32",[2,2]]'), ("b", b'["b","int64",[3]]')):
        sha.update(shape)
        sha.update(tensors[name].tobytes())
    text = f'{{"sha256":"{sha.hexdigest()}","z":1,"\\u00fc":[1.5,null]}}'
    data = path.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert header["__metadata__"] == {"charlm-test": text}


@pytest.mark.parametrize(
    ("said", "number", "message"),
    [
        ("I/O error: No space left on device (os error 28)", errno.ENOSPC, "No space left on"),
        ("I/O error: something else", errno.EIO, "cannot be written: I/O error: something else"),
    ],
)
def test_what_cannot_be_written_is_an_error_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, number: int, message: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise SafetensorError(said)

    monkeypatch.setattr(tensor_file, "save_file", fail)
    path = tmp_path / "t.safetensors"
    with pytest.raises(OSError, match=message) as caught:
        tensor_file.write(path, "charlm-test", {}, {})
    assert (caught.value.errno, caught.value.filename) == (number, str(path))
    assert not list(tmp_path.iterdir())


def test_a_mapped_file_has_the_tensors_that_were_written(tmp_path: Path) -> None:
    path = tmp_path / "t.safetensors"
    tensors: dict[str, Any] = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "b": np.arange(4, dtype=np.int64).reshape(4, 1),
        "c": np.zeros(0, np.uint8),
    }
    tensor_file.write(path, "charlm-test", {"x": 1}, tensors)
    contents, back = tensor_file.mapped(path, "charlm-test")
    assert contents == {"x": 1}  # without the digest
    assert back.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert isinstance(back[name], np.memmap) or not tensor.size
        assert back[name].dtype == tensor.dtype
        assert not back[name].flags.writeable
        np.testing.assert_array_equal(back[name], tensor)
    with pytest.raises(CharlmError, match="charlm-other"):
        tensor_file.mapped(path, "charlm-other")
    with pytest.raises(CharlmError, match="absent"):
        tensor_file.mapped(tmp_path / "absent", "charlm-test")


def test_a_file_of_ours_is_known_by_its_head(tmp_path: Path) -> None:
    path = tmp_path / "t.safetensors"
    tensor_file.write(path, "charlm-test", {}, {"a": np.ones(3, np.float32)})
    data = path.read_bytes()
    assert tensor_file.is_ours(data[:4096])
    assert not tensor_file.is_ours(data[1:])
    assert not tensor_file.is_ours(b"")
    other = b'{"__metadata__":{"format":"pt"}}'
    assert not tensor_file.is_ours(len(other).to_bytes(8, "little") + other)


class Pieces:
    """A tensor that is read in pieces."""

    def __init__(self, values: Any) -> None:
        self.values = values
        self.dtype = values.dtype

    def __len__(self) -> int:
        return len(self.values)

    def pieces(self) -> Iterator[Any]:
        for start in range(0, len(self.values), 3):
            yield self.values[start : start + 3]


def test_tensors_in_pieces_make_the_same_file(tmp_path: Path) -> None:
    tensors: dict[str, Any] = {
        "order.1.nats": np.linspace(0, 1, 7, dtype=np.float32),
        "order.10.keys": np.arange(5),
        "order.2.keys": np.arange(8),
        "ü": np.zeros(0, np.float32),
        "bytes": np.arange(11, dtype=np.uint8),
    }
    contents = {"x": 'ü"\\\n€'}
    tensor_file.write(tmp_path / "whole", "charlm-test", contents, tensors)
    stored = {name: Pieces(tensor) for name, tensor in tensors.items()}
    tensor_file.write_stored(tmp_path / "pieces", "charlm-test", contents, stored)
    assert (tmp_path / "pieces").read_bytes() == (tmp_path / "whole").read_bytes()
