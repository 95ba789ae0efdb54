"""The results of shards: a file for each, whole or absent, in a directory for one piece of work.

shards.json        what the work is
2-of-8.tsv         the results of a shard, once it is finished
checks/2-of-8.tsv  their size and checksum, by which damage is noticed
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ..errors import CharlmError
from ..system import storage
from ..text.shards import Shard

ABOUT, CHECKS = "shards.json", "checks"
BLOCK_BYTES = 1 << 20  # read at a time
ENDS_BYTES = 1 << 16  # of a file, which stand for all of it


@dataclass(frozen=True)
class ShardFiles:
    """The files of all shards of one piece of work."""

    directory: Path
    suffix: str

    @classmethod
    def opened(cls, directory: Path, suffix: str, about: Mapping[str, Any]) -> Self:
        """Make the directory, or find it; about: what the work is, JSON, by the names of its parts.

        Raises CharlmError if it holds anything else, or shards of other work, and OSError.
        """
        wanted = json.loads(json.dumps(dict(about)))
        if directory.exists() and not directory.is_dir():
            raise CharlmError(f"{directory} is a file: name a directory for the shards")
        (directory / CHECKS).mkdir(parents=True, exist_ok=True)
        record = directory / ABOUT
        if not record.exists():
            if any(path.name[0] != "." and path.name != CHECKS for path in directory.iterdir()):
                raise CharlmError(f"{directory} holds other files: name a new directory")
            storage.write_text(record, json.dumps(wanted, indent=1))
        try:
            found = json.loads(record.read_bytes())
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise CharlmError(f"{record} is damaged: name another directory")
        other = [name for name in wanted | found if wanted.get(name) != found.get(name)]
        if other:
            raise CharlmError(
                f"{directory} holds shards of something else (not the same {' nor '.join(other)}): "
                "name another directory"
            )
        storage.sweep_old(directory.glob(".*.tmp"))
        return cls(directory, suffix)

    def path(self, shard: Shard) -> Path:
        """The file of a shard, which exists if the shard is finished."""
        return self.directory / f"{shard.name}{self.suffix}"

    def write(self, shard: Shard, lines: Iterable[str]) -> None:
        """Write the file of a shard, as a whole. Raises OSError."""
        path, size, crc = self.path(shard), 0, 0
        with storage.atomic(path) as file:
            for line in lines:
                data = f"{line}\n".encode()
                file.write(data)
                size, crc = size + len(data), zlib.crc32(data, crc)
            storage.write_text(self._record(path), f"{size} {crc}\n")  # before the file is there

    def check(self, shard: Shard) -> None:
        """Raise CharlmError if the file of a finished shard is not as it was written."""
        path, size, crc = self.path(shard), 0, 0
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                size, crc = size + len(block), zlib.crc32(block, crc)
        record = self._record(path)
        if not record.exists() or record.read_text("ascii", "replace").split() != [
            f"{size}",
            f"{crc}",
        ]:
            raise CharlmError(f"{path} is damaged: remove it, and its shard is done again")

    def _record(self, path: Path) -> Path:
        return self.directory / CHECKS / path.name


def likeness(paths: Sequence[Path]) -> str:
    """What tells files from others, wherever they are: a digest of sizes, beginnings and ends.

    Raises OSError.
    """
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            digest.update(f"{size} bytes ".encode())
            for start in (0, max(0, size - ENDS_BYTES)):
                file.seek(start)
                digest.update(file.read(ENDS_BYTES))
    return digest.hexdigest()
