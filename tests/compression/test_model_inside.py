"""A network in few bytes."""

from __future__ import annotations

import numpy as np
import pytest
from toys import small_model_file

from charlm.compression.model_inside import MATRIX_LEVELS, pack, unpack
from charlm.compression.portable_arithmetic import rounded
from charlm.config import CELLS, NetworkConfig
from charlm.errors import CharlmError
from charlm.models import model_file
from charlm.models.model_file import ModelFile

OPTIONS = {"layers": 2, "dense": 1, "learned_start": True}


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("level", ["char", "word", "byte", "subword"])
def test_it_is_unpacked_with_rounded_weights(cell: str, level: str) -> None:
    given = small_model_file(level, cell=cell, **OPTIONS)
    found = unpack(pack(given))
    assert found.config == given.config
    assert found.tokenizer.as_dict() == given.tokenizer.as_dict()
    assert found.tensors.keys() == given.tensors.keys()
    for name, tensor in given.tensors.items():
        levels = MATRIX_LEVELS if tensor.ndim == 2 else 127
        atol = np.abs(tensor).max() / levels * 0.51
        np.testing.assert_allclose(found.tensors[name], tensor, atol=atol)
    model_file.build(found)
    assert pack(found) == pack(unpack(pack(found)))


def test_its_weights_take_six_bits_each() -> None:
    given = small_model_file()
    rng = np.random.default_rng(0)
    config = {**given.config, "hidden": 64, "embed": 64}
    shapes = NetworkConfig.from_dict(config).shapes()
    tensors = {name: rng.standard_normal(s).astype(np.float32) for name, s in shapes.items()}
    numbers = sum(tensor.size for tensor in tensors.values())
    data = pack(ModelFile("recurrent", config, given.tokenizer, tensors))
    assert len(data) < 6.5 / 8 * numbers + 4 * 4 * 64 + 1500


def test_a_model_without_a_network() -> None:
    contents = ModelFile("ngram", {}, small_model_file().tokenizer, {})
    with pytest.raises(CharlmError, match="leave `with_model` out"):
        pack(contents)


def test_what_is_none() -> None:
    data = pack(small_model_file())
    for wrong in (
        b"",
        b"1,2\nabc",
        b"1,2,3\nabcdef",
        data[:-4],
        data[:40],
        data.replace(b"\n", b",1\n"),
    ):
        with pytest.raises(CharlmError):
            unpack(wrong)


def test_levels() -> None:
    whole, _ = rounded(np.random.default_rng(0).standard_normal((4, 9)).astype(np.float32), 31)
    assert np.abs(whole).max(axis=1).tolist() == [31] * 4
