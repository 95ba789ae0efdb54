"""Tensors and JSON in one safetensors file, with a checksum over all of it. No pickle, no code.

The file's metadata has one entry, named after the kind of file ("charlm" for a model,
"charlm-checkpoint"): canonical JSON that holds the contents and a SHA-256 over contents and
tensors.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save_file

from ..errors import CharlmError
from . import storage

Tensors: TypeAlias = Mapping[str, npt.NDArray[Any]]
load_parts: Any = deserialize  # untyped in the library
MAX_HEADER_BYTES = 100_000_000  # as safetensors has it
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
            full = f"os error {errno.ENOSPC}" in str(error)
            reason = os.strerror(errno.ENOSPC) if full else f"cannot be written: {error}"
            raise OSError(errno.ENOSPC if full else errno.EIO, reason, str(path)) from None


class Stored(Protocol):
    """A tensor of one dimension that is read piece by piece."""

    @property
    def dtype(self) -> npt.DTypeLike: ...

    def __len__(self) -> int: ...

    def pieces(self) -> Iterator[npt.NDArray[Any]]: ...


def write_stored(
    path: Path, kind: str, contents: Mapping[str, Any], tensors: Mapping[str, Stored]
) -> None:
    """`write`, of tensors that need not fit into memory: the same bytes. Raises OSError."""
    names = {np.dtype(dtype): name for name, dtype in DTYPES.items()}
    sha = hashlib.sha256(_canonical(contents).encode("ascii"))
    for name in sorted(tensors):
        tensor = tensors[name]
        _begin_digest(sha, name, np.dtype(tensor.dtype), [len(tensor)])
        for piece in tensor.pieces():
            sha.update(piece.data)
    # as safetensors orders them: by decreasing alignment, then by name
    ordered = sorted(tensors, key=lambda name: (-np.dtype(tensors[name].dtype).itemsize, name))
    header: dict[str, Any] = {
        "__metadata__": {kind: _canonical({**contents, "sha256": sha.hexdigest()})}
    }
    end = 0
    for name in ordered:
        dtype, length = np.dtype(tensors[name].dtype), len(tensors[name])
        start, end = end, end + length * dtype.itemsize
        header[name] = {"dtype": names[dtype], "shape": [length], "data_offsets": [start, end]}
    head = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    head += b" " * (-len(head) % 8)
    with storage.atomic(path) as file:
        file.write(len(head).to_bytes(8, "little") + head)
        for name in ordered:
            for piece in tensors[name].pieces():
                file.write(piece.data)


def is_ours(head: bytes) -> bool:
    """Whether a file that begins so is of this kind: one of charlm's, by its metadata."""
    return head[8:].startswith(b'{"__metadata__":{"charlm')


def read(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """The contents and tensors of a file.

    Raises CharlmError if it is missing, of another kind, or has a single byte wrong.
    """
    with _opened(path) as file:
        contents, _, _ = _header(file, path, kind)
        file.seek(0)
        data = file.read()
    try:
        parts: list[Any] = load_parts(data)  # checks that header, shapes and sizes agree
        tensors = {name: _tensor(path, name, part) for name, part in parts}
    except (SafetensorError, ValueError, OverflowError, RecursionError, MemoryError) as error:
        raise _no_tensors(path, str(error)) from None
    if contents.pop("sha256", "") != _digest(contents, tensors):
        raise damaged(path, "its contents do not match their digest")
    return contents, tensors


def mapped(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """The contents of a file, and its tensors as they lie on disk, mapped into memory.

    So it takes as long whatever their size, and nothing says whether they are as they were written.
    Raises CharlmError if the file is missing, of another kind, or its header is damaged.
    """
    with _opened(path) as file:
        contents, parts, start = _header(file, path, kind)
        data = np.memmap(file, np.uint8, "r")
    contents.pop("sha256", "")
    tensors = {}
    for name, part in parts.items():
        try:
            first, last = (start + int(offset) for offset in part["data_offsets"])
            dtype = np.dtype(DTYPES[part["dtype"]])
            tensors[name] = data[first:last].view(dtype).reshape(part["shape"])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise _no_tensors(path, repr(error)) from None
    return contents, tensors


def _tensor(path: Path, name: str, part: Mapping[str, Any]) -> npt.NDArray[Any]:
    if part["dtype"] not in DTYPES:
        raise damaged(path, f"tensor {name!r} is of type {part['dtype']}")
    return np.frombuffer(part["data"], DTYPES[part["dtype"]]).reshape(part["shape"])


def _header(
    file: BinaryIO, path: Path, kind: str
) -> tuple[dict[str, Any], dict[str, dict[str, Any]], int]:
    """The JSON of a file, the header's entries of its tensors, and where their data begins.

    The sizes in the header agree with the file's own; the rest is not read.
    """
    size = int.from_bytes(file.read(8), "little")
    if size > MAX_HEADER_BYTES:
        raise _no_tensors(path, f"a header of {size:,} bytes")
    head = file.read(size)
    whole = file.seek(0, os.SEEK_END)
    try:
        header = json.loads(head)
        metadata = header.pop("__metadata__", None) or {}
        ends = [8 + size, *(8 + size + int(part["data_offsets"][1]) for part in header.values())]
        contents = json.loads(metadata[kind]) if kind in metadata else None
        longest = max(ends)
    except (
        *(ValueError, OverflowError, KeyError, TypeError),
        *(IndexError, AttributeError, RecursionError),
    ) as error:
        raise _no_tensors(path, repr(error)) from None
    if longest != whole:
        raise _no_tensors(path, f"{whole:,} bytes long, not {longest:,}")
    if not isinstance(contents, dict):
        raise CharlmError(f"{path} is not a {kind} file: it was written by something else")
    return contents, header, 8 + size


def _no_tensors(path: Path, detail: str) -> CharlmError:
    return damaged(path, f"or of another kind: {detail.splitlines()[0] if detail else ''}")


def damaged(path: Path, detail: str) -> CharlmError:
    """The error for a file that has changed since it was written."""
    return CharlmError(f"{path} is damaged ({detail}): copy it again, or train it again")


def _digest(contents: Mapping[str, Any], tensors: Tensors) -> str:
    """SHA-256 over the canonical JSON of `contents` and every tensor's name, type, shape, data."""
    sha = hashlib.sha256(_canonical(contents).encode("ascii"))
    for name in sorted(tensors):
        tensor = tensors[name]
        _begin_digest(sha, name, tensor.dtype, tensor.shape)
        sha.update(np.ascontiguousarray(tensor).data)
    return sha.hexdigest()


def _begin_digest(sha: Any, name: str, dtype: np.dtype[Any], shape: Sequence[int]) -> None:
    """What the digest has of a tensor before its data."""
    sha.update(_canonical([name, str(dtype), list(shape)]).encode("ascii"))


def _canonical(value: Any) -> str:
    """JSON in the one form that is hashed: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file. Raises CharlmError if it is missing or cannot be read."""
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise CharlmError(f"{path} is not a regular file")
        with path.open("rb") as file:
            yield file
    except FileNotFoundError:
        raise CharlmError(f"there is no file {path}") from None
    except IsADirectoryError:
        raise CharlmError(f"{path} is a directory: name the file in it") from None
    except OSError as error:
        raise CharlmError(f"{path} cannot be read: {error.strerror}") from None
