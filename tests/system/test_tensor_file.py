"""Files of tensors: read as written, or refused as damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

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
