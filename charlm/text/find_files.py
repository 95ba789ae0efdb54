"""The files that names stand for: themselves, all of a directory, those that match a pattern."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..errors import CharlmError
from .unpack import without_compression

WILD = frozenset("*?[")


def find_files(names: Iterable[str]) -> list[str]:
    """The files that `names` stand for, in order; those that are no directory or pattern stay.

    Of a directory: every regular file in it and below, sorted; none that is hidden or in a hidden
    directory, and none of the runs that charlm has put there. Of a pattern (`*`, `?`, `[…]`, and
    `**` for any directories), where no file has that name: the files that match, sorted. Raises
    CharlmError where there is none.
    """
    return [file for name in names for file in _files(name)]


def in_directories(names: Iterable[str]) -> set[str]:
    """Of what `find_files` finds, what is in directories and was not itself asked for."""
    asked = list(names)
    directories = [name for name in asked if _is_directory(name)]
    return {file for name in directories for file in _files(name)} - set(asked)


def corpus_name(name: str) -> str:
    """What a run on this text may be called: the file without endings, or the directory."""
    if name == "-":
        return "stdin"
    if is_pattern(name):
        parts = Path(name).parts
        first = next(k for k, part in enumerate(parts) if WILD & set(part))
        name = os.fspath(Path(*parts[:first]))
        return Path(name).resolve().name or "corpus"
    path = Path(without_compression(name))
    return (path.resolve().name if _is_directory(name) else path.stem) or "corpus"


def is_pattern(name: str) -> bool:
    """Whether a name is a pattern rather than that of a file."""
    try:
        return bool(WILD & set(name)) and "\0" not in name and not Path(name).exists()
    except OSError:  # whoever opens it says what is wrong
        return False


def _files(name: str) -> Sequence[str]:
    if is_pattern(name):
        matching = [Path(one) for one in glob.glob(name, recursive=True)]  # noqa: PTH207
        found = sorted(path for path in matching if path.is_file())
        if not found:
            raise CharlmError(f"no file matches {name}. Check the spelling and the directory.")
    elif _is_directory(name):
        found = _below(Path(name))
        if not found:
            raise CharlmError(f"{name} is a directory with no files in it.")
    else:
        return [name]
    return [os.fspath(path) for path in found]


def _is_directory(name: str) -> bool:
    try:
        return bool(name) and Path(name).is_dir()
    except OSError:  # whoever opens it says what is wrong
        return False


def _below(directory: Path) -> list[Path]:
    found: list[Path] = []
    for place, directories, files in os.walk(directory, onerror=_refuse):
        directories[:] = [one for one in directories if _has_text(Path(place, one))]
        visible = (Path(place, one) for one in files if not one.startswith("."))
        found += [path for path in visible if path.is_file()]
    return sorted(found)


def _refuse(error: OSError) -> None:
    raise CharlmError(f"{error.filename} cannot be read: {error.strerror}. Check its permissions.")


def _has_text(directory: Path) -> bool:
    """Whether a directory is neither hidden nor one of runs, which hold settings and models."""
    runs = directory.name == "runs" and (directory / "latest").is_file()
    run = (directory / "model.safetensors").exists()
    return not (directory.name.startswith(".") or runs or run)
