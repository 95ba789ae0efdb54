"""The results of shards: a file for each, whole or absent, in a directory for one piece of work."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ..errors import CharlmError
from ..system import storage
from ..text.shards import Shard

ABOUT = "shards.json"
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
        directory.mkdir(parents=True, exist_ok=True)
        record = directory / ABOUT
        if not record.exists():
            if any(not path.name.startswith(".") for path in directory.iterdir()):
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
                f"{directory} holds shards of other work (not the same {' nor '.join(other)}): "
                "name another directory"
            )
        storage.sweep_old(directory.glob(".*.tmp"))
        return cls(directory, suffix)

    def path(self, shard: Shard) -> Path:
        """The file of a shard, which exists if the shard is finished."""
        return self.directory / f"{shard.name}{self.suffix}"

    def write(self, shard: Shard, lines: Iterable[str]) -> None:
        """Write the file of a shard, as a whole. Raises OSError."""
        with storage.atomic(self.path(shard)) as file:
            for line in lines:
                file.write(f"{line}\n".encode())


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
