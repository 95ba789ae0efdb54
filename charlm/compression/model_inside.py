"""A network in few bytes: its weights in whole numbers, squeezed together with its tokenizer."""

from __future__ import annotations

import json
import lzma
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ..config import NetworkConfig
from ..errors import CharlmError
from ..models import model_parts
from ..models.arithmetic import Array
from ..models.family import short
from ..models.model_file import ModelFile
from ..text.tokenizer import from_dict as tokenizer_from_dict
from .container import damaged, squeeze, unsqueeze
from .portable_arithmetic import rounded

MATRIX_LEVELS, VECTOR_LEVELS = 31, 127  # on either side of 0: 6 bits and 8
MAX_BYTES = 1 << 31
NO_CONTEXT = [{"id": lzma.FILTER_LZMA2, "preset": 9, "lc": 0, "lp": 0, "pb": 0}]
UNITS = np.dtype("<f4")


def pack(contents: ModelFile) -> bytes:
    """The network in a model file, without anything that only people read.

    Raises CharlmError for a model without a network.
    """
    part = model_parts.network(contents)
    if part is None:
        raise CharlmError(
            "only a network can be put into a file, and this model has none: leave `with_model` out"
        )
    config = NetworkConfig.from_dict(part.config)
    about = {"config": config.as_dict(), "tokenizer": part.tokenizer.as_dict()}
    numbers, units = [], []
    for name in config.shapes():
        whole, unit = _whole(part.tensors[name])
        numbers.append(whole.astype(np.int8).ravel())
        units.append(unit.astype(UNITS))
    parts = [
        squeeze(json.dumps(about, ensure_ascii=False, separators=(",", ":")).encode()),
        _squeezed(np.concatenate(numbers).tobytes()),
        np.concatenate(units).tobytes(),
    ]
    lengths = ",".join(str(len(one)) for one in parts)
    return f"{lengths}\n".encode() + b"".join(parts)


def unpack(data: bytes) -> ModelFile:
    """The network again, its weights rounded. Raises CharlmError for anything else."""
    try:
        lengths, _, rest = data.partition(b"\n")
        about_bytes, numbers, units = (
            rest[begin:end]
            for begin, end in pairwise([0, *accumulate(map(int, lengths.split(b",")))])
        )
        about = json.loads(unsqueeze(about_bytes, MAX_BYTES))
        config = NetworkConfig.from_dict(about["config"])
        tensors = _tensors(config, _unsqueezed(numbers), np.frombuffer(units, UNITS))
        tokenizer = tokenizer_from_dict(about["tokenizer"])
    except (ValueError, KeyError, TypeError, lzma.LZMAError, RecursionError):
        raise damaged() from None
    return ModelFile("recurrent", config.as_dict(), tokenizer, tensors)


def name(contents: ModelFile) -> str:
    """Such as: LSTM 1 × 96."""
    return short(contents.family, contents.config)


def _whole(tensor: Array) -> tuple[Array, Array]:
    """A matrix has a unit for each row, a vector one for all."""
    if tensor.ndim == 2:
        return rounded(tensor, MATRIX_LEVELS)
    return rounded(tensor[None], VECTOR_LEVELS)


def _tensors(
    config: NetworkConfig, numbers: npt.NDArray[np.int8], units: Array
) -> dict[str, npt.NDArray[Any]]:
    found: dict[str, npt.NDArray[Any]] = {}
    at = row = 0
    for name, shape in config.shapes().items():
        size, rows = int(np.prod(shape)), shape[0] if len(shape) == 2 else 1
        whole = numbers[at : at + size].reshape(rows, -1).astype(np.float32)
        found[name] = (whole * units[row : row + rows, None]).astype(np.float32).reshape(shape)
        at, row = at + size, row + rows
    if at != len(numbers) or row != len(units):
        raise ValueError("more numbers than weights")
    return found


def _squeezed(data: bytes) -> bytes:
    return lzma.compress(data, lzma.FORMAT_RAW, filters=NO_CONTEXT)


def _unsqueezed(data: bytes) -> npt.NDArray[np.int8]:
    reader = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=NO_CONTEXT)
    return np.frombuffer(reader.decompress(data, MAX_BYTES), np.int8)
