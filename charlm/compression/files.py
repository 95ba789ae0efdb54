"""Files compressed with a model, from header to end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from ..errors import CharlmError, require
from ..models import model_file
from ..models.model_file import ModelFile
from . import container, model_inside
from .compress import MOST_ROWS, Codec, Progress
from .container import Header
from .portable import portable
from .predictor import BATCH

DIGEST_CHARS = 32  # of the model's SHA-256 that a header holds
Find: TypeAlias = Callable[[], Path]  # the model file to use


@dataclass(frozen=True)
class Outcome:
    """What compressing or reading back did."""

    model: str  # such as: LSTM 1 × 512
    bytes: int  # of the original
    compressed: int
    is_part: bool = False  # of the model that was given

    @property
    def bits_per_byte(self) -> float:
        """Of the compressed file, for each byte of the original; 0 for an empty one."""
        return 8 * self.compressed / self.bytes if self.bytes else 0.0

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "bits_per_byte": self.bits_per_byte}


def compress(
    source: BinaryIO,
    target: BinaryIO,
    model: Path,
    *,
    adapt: bool = False,
    blocks: int = 0,
    batch: int = BATCH,
    with_model: bool = False,
    progress: Progress = lambda done: None,
) -> Outcome:
    """Compress a file with the model in a model file.

    adapt: learn from the file while coding it. blocks: stretches read side by side, which is faster
    and compresses a little less; 0: one for each 8 KB, at most 64. batch: how many of these are
    computed at a time, which changes nothing in the file. with_model: put the model's
    network, rounded, into the file, and compress with that. progress is called with the bytes done.

    Raises CharlmError for a model that does not predict the next token, and OSError.
    """
    require(
        0 <= blocks <= MOST_ROWS,
        f"`blocks` must be from 0 (by size) to {MOST_ROWS:,}, not {blocks}",
    )
    require(batch >= 1, f"`batch` must be at least 1, not {batch}")
    contents, packed = model_file.read(model), b""
    is_part = with_model and contents.family != "recurrent"
    if with_model:
        packed = model_inside.pack(contents)
        contents = model_inside.unpack(packed)
    codec = _codec(contents, adapt=adapt, blocks=blocks, batch=batch)
    name = model_inside.name(contents)
    header = Header("" if with_model else digest(model), name, adapt)
    written = container.write_header(target, header, packed)
    size, more = codec.compress(source, target, progress)
    return Outcome(name, size, written + more, is_part)


def decompress(
    source: BinaryIO,
    target: BinaryIO,
    find: Find,
    *,
    batch: int = BATCH,
    progress: Progress = lambda done: None,
) -> Outcome:
    """Read a compressed file back. find: names the model file, if none is inside.

    Raises CharlmError for a file that is not one, a damaged one and another model, and OSError.
    """
    counted = _Counted(source)
    header, packed = container.read_header(counted)
    if packed:
        contents = model_inside.unpack(packed)
    else:
        model = find()
        if digest(model) != header.model:
            raise CharlmError(
                f"it was compressed with another model than {model}: with {header.name} "
                f"({header.model[:12]}…). Name that one with `model`"
            )
        contents = model_file.read(model)
    codec = _codec(contents, adapt=header.adapt, batch=batch)
    size = codec.decompress(counted, target, progress)
    return Outcome(header.name, size, counted.bytes)


class _Counted:
    """A file that counts the bytes read from it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.bytes = file, 0

    def read(self, size: int) -> bytes:
        data = self.file.read(size)
        self.bytes += len(data)
        return data


def digest(model: Path) -> str:
    """What a header knows a model file by."""
    with model.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:DIGEST_CHARS]


def _codec(contents: ModelFile, *, adapt: bool, blocks: int = 0, batch: int = BATCH) -> Codec:
    lm = portable(model_file.build(contents))
    return Codec(lm, contents.tokenizer, adapt=adapt, blocks=blocks, batch=batch)
