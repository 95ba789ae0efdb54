"""Tensors and JSON in one safetensors file, with a checksum over all of it. No pickle, no code.

The file's metadata has one entry, named after the kind of file ("charlm" for a model,
"charlm-checkpoint"): canonical JSON that holds the contents and a SHA-256 over contents and
tensors.
"""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save_file

from ..errors import CharlmError
from . import storage

Tensors: TypeAlias = Mapping[str, npt.NDArray[Any]]
load_parts: Any = deserialize  # untyped in the library
DTYPES = {"F32": np.float32, "U8": np.uint8, "I64": np.int64}


def write(path: Path, kind: str, contents: Mapping[str, Any], tensors: Tensors) -> None:
    """Write a file atomically. The same contents and tensors give the same bytes.

    The tensors are written without being copied. Raises OSError.
    """
    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    header = _canonical({**contents, "sha256": _digest(contents, contiguous)})
    with storage.replacing(path) as temporary:
        try:
            save_file(contiguous, temporary, metadata={kind: header})
        except SafetensorError as error:
            raise OSError(errno.EIO, f"cannot be written: {error}", str(path)) from None


def read(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """The contents and tensors of a file.

    Raises CharlmError if it is missing, of another kind, or has a single byte wrong.
    """
    data = _bytes_of(path)
    try:
        size = int.from_bytes(data[:8], "little")
        parts: list[Any] = load_parts(data)  # checks that header, shapes and sizes agree
        metadata = json.loads(data[8 : 8 + size]).get("__metadata__", {})
        contents = json.loads(metadata[kind]) if kind in metadata else None
    except (SafetensorError, ValueError, RecursionError, MemoryError) as error:
        raise damaged(path, f"or of another kind: {str(error).splitlines()[0]}") from None
    if contents is None:
        raise CharlmError(f"{path} is not a {kind} file: it was written by something else")
    tensors: dict[str, npt.NDArray[Any]] = {}
    for name, part in parts:
        if part["dtype"] not in DTYPES:
            raise damaged(path, f"tensor {name!r} is of type {part['dtype']}")
        dtype = DTYPES[part["dtype"]]
        tensors[name] = np.frombuffer(part["data"], dtype).reshape(part["shape"])
    if not isinstance(contents, dict) or contents.pop("sha256", "") != _digest(contents, tensors):
        raise damaged(path, "its contents do not match their digest")
    return contents, tensors


def damaged(path: Path, detail: str) -> CharlmError:
    """The error for a file that has changed since it was written."""
    return CharlmError(f"{path} is damaged ({detail}): copy it again, or train it again")


def _digest(contents: Mapping[str, Any], tensors: Tensors) -> str:
    """SHA-256 over the canonical JSON of `contents` and every tensor's name, type, shape, data."""
    sha = hashlib.sha256(_canonical(contents).encode("ascii"))
    for name in sorted(tensors):
        tensor = tensors[name]
        sha.update(_canonical([name, str(tensor.dtype), list(tensor.shape)]).encode("ascii"))
        sha.update(np.ascontiguousarray(tensor).data)
    return sha.hexdigest()


def _canonical(value: Any) -> str:
    """JSON in the one form that is hashed: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _bytes_of(path: Path) -> bytes:
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise CharlmError(f"{path} is not a regular file")
        return path.read_bytes()
    except FileNotFoundError:
        raise CharlmError(f"there is no file {path}") from None
    except IsADirectoryError:
        raise CharlmError(f"{path} is a directory: name the file in it") from None
    except OSError as error:
        raise CharlmError(f"{path} cannot be read: {error.strerror}") from None
